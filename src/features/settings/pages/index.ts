/** The pages of this room, in the order in which they are offered. */
import type { FastifyPluginAsync } from 'fastify'
import type { Room } from '../room.ts'
import { appearancePage } from './appearance.ts'
import { historyPage } from './history.ts'
import { sessionsPage } from './sessions.ts'

export interface SettingsPage {
  /** Below `/settings/`. */
  readonly path: string
  /** Key of its title. */
  readonly title: string
  readonly routes: FastifyPluginAsync<{ readonly room: Room }>
}

export const pages: readonly [SettingsPage, ...SettingsPage[]] = [
  sessionsPage,
  historyPage,
  appearancePage,
]
