import { z } from 'zod'
import type { Manifest } from '../../kernel/feature.ts'
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

const check: NonNullable<Manifest['check']> = (config, report, explicit) => {
  // Checks run after every slice parsed: of the sessions room's this reads no more than is written here.
  const { cookies, same_site } = config['session'] as {
    readonly cookies: readonly {
      readonly domain: string
      readonly portal_url?: string | undefined
      readonly same_site?: string | undefined
    }[]
    readonly same_site: string
  }
  // As the schema above gives it.
  const { enable } = config['session.hub'] as HubConfig
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
}

export default {
  config: { 'session.hub': hub.prefault({}) },
  check,
  messages: { en },
} as const satisfies Manifest
