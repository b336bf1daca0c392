import { z } from 'zod'
import { defineManifest } from '../../kernel/feature.ts'
import sessions from '../sessions/manifest.ts'
import en from './messages/en.json' with { type: 'json' }

const hub = z.strictObject({
  enable: z
    .boolean()
    .optional()
    .describe(
      'One sign-in for all cookie domains: the portal of the first one vouches for the user who is signed in there, and signing out on one ends all. On unless said otherwise, where more than one cookie domain has a `portal_url`. `false`: each domain asks for itself.',
    ),
})

export type HubConfig = z.infer<typeof hub>

export default defineManifest({
  paths: ['/hub'],
  config: { 'session.hub': hub.prefault({}) },
  reads: [sessions],
  check({ session: { cookies, same_site }, 'session.hub': { enable } }, report, explicit) {
    if (enable === false) return
    const portals = cookies.filter(({ portal_url }) => portal_url !== undefined)
    const [first] = portals
    if (portals.length < 2) {
      if (enable === true && explicit(['session', 'hub', 'enable']))
        report.warn(
          ['session', 'hub', 'enable'],
          'has no effect: fewer than two cookie domains have a portal_url',
        )
    } else if (first !== undefined && (first.same_site ?? same_site) === 'strict') {
      report.warn(
        ['session', 'cookies', cookies.indexOf(first)],
        `${first.domain} cannot vouch for the other domains: a cookie with same_site strict does not come along from there`,
      )
    }
  },
  messages: { en },
})
