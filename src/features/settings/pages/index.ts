/** The pages of this feature, in the order in which they are offered. */
import type { SettingsPage } from '../page.ts'
import { appearancePage } from './appearance.ts'
import { historyPage } from './history.ts'
import { sessionsPage } from './sessions.ts'

export const pages: readonly [SettingsPage, ...SettingsPage[]] = [
  sessionsPage,
  historyPage,
  appearancePage,
]
