import type { FastifyPluginAsync } from 'fastify'
import type { PageLink, SettingsServices } from './services.ts'

/** A page that a user has of their own: of this feature (pages/index.ts), or of another one, which services/site.ts adds. */
export interface SettingsPage extends PageLink {
  readonly routes: FastifyPluginAsync<{ readonly services: SettingsServices }>
}
