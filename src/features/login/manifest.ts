import http from '../../http/manifest.ts'
import { defineManifest } from '../../kernel/feature.ts'
import { webUrl } from '../../kernel/scalars.ts'
import sessions from '../sessions/manifest.ts'
import en from './messages/en.json' with { type: 'json' }

export default defineManifest({
  paths: ['/api', '/logout', '/forbidden'],
  config: {
    logout_url: webUrl()
      .optional()
      .describe("Where the portal's logout leads, in place of its own page."),
  },
  reads: [http, sessions],
  /** People open the portal at portal_url; its pages and forms lie below the base path. */
  check({ server: { address }, session: { cookies } }, report) {
    for (const [index, { portal_url }] of cookies.entries()) {
      if (portal_url === undefined) continue
      const path = new URL(portal_url).pathname.replace(/\/$/, '') || '/'
      if (path !== address.basePath)
        report.warn(
          ['session', 'cookies', index, 'portal_url'],
          `has the path ${path}, but server.address serves ${address.basePath}`,
        )
    }
  },
  messages: { en },
})
