/**
 * The user's own pages.
 *
 * Owns what users see and change of themselves. Does not own any of what it shows (sessions, the audit trail) nor the facts
 * of a request and the guards in front of every route (portal).
 *
 *   GET /settings                           to the first page
 *   GET, POST /settings/sessions            where one is signed in: list, end one, end all others
 *   GET, POST /settings/appearance          light or dark
 *   GET /settings/history                   own recent sign-ins and failures: ?before=<id>
 *   GET, DELETE /api/user/sessions[/{id}]   the same for scripts
 *   GET /api/user/history                   ?before=<id>, ?limit= up to 100
 *
 * A new page is a file in pages/ and a line in its index.ts.
 */
import type { SettingsPage } from './page.ts'
import { pages } from './pages/index.ts'

export { settings } from './routes.ts'
export type { SettingsOptions } from './services.ts'

/** The pages, in the order in which they are offered. */
export const ownPages: readonly Pick<SettingsPage, 'path' | 'title'>[] = pages
