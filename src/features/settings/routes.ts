import type { FastifyPluginAsync } from 'fastify'
import { portalContexts } from '../portal/index.ts'
import { historyApi } from './history-api.ts'
import { languageRoute } from './language-route.ts'
import type { SettingsPage } from './page.ts'
import { createSettingsServices, type SettingsOptions } from './services.ts'
import { sessionsApi } from './sessions-api.ts'

export interface SettingsPlugin extends SettingsOptions {
  /** The first one is where `/settings` leads. */
  readonly pages: readonly [SettingsPage, ...SettingsPage[]]
}

export const settings: FastifyPluginAsync<SettingsPlugin> = async (app, options) => {
  const { replies, base, pages } = options
  const services = createSettingsServices(options)
  await app.register(portalContexts, options)
  const [first] = pages
  // A client that is not signed in is sent on from there.
  app.get('/settings', { config: { guard: 'public' } }, (_request, reply) =>
    replies.redirect(reply, `${base}/settings/${first.path}`, 302),
  )
  for (const { routes } of pages) await app.register(routes, { services })
  await app.register(languageRoute, { services })
  await app.register(sessionsApi, { services })
  await app.register(historyApi, { services })
}
