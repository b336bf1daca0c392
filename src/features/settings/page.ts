import type { FastifyPluginAsync } from 'fastify'
import type { SettingsServices } from './services.ts'

/** A page that a user has of their own. */
export interface SettingsPage {
  /** Below `/settings/`. */
  readonly path: string
  /** Key of its title. */
  readonly title: string
  readonly routes: FastifyPluginAsync<{ readonly services: SettingsServices }>
}
