/**
 * The user's own pages.
 *
 * Owns what users see and change of themselves. Does not own any of what it shows (sessions, the audit trail) nor the facts
 * of a request and the guards in front of every route (portal).
 *
 *   GET /settings                           to the first page
 *   GET, POST /settings/sessions            where one is signed in: list, end one, end all others
 *   GET, POST /settings/appearance          light or dark
 *   POST /settings/language                 the language of the pages
 *   GET, POST /settings/password            a new password; elevated
 *   GET /settings/history                   own recent sign-ins and failures: ?before=<id>
 *   GET, DELETE /api/user/sessions[/{id}]   the same for scripts
 *   GET /api/user/history                   ?before=<id>, ?limit= up to 100
 *
 * A new page is a file in pages/ and a line in its index.ts. Another feature makes a `SettingsPage` of its own, and services/site.ts adds
 * it to the option `pages`: all of them stand in the navigation.
 */
import { pages } from './pages/index.ts'

export { ago } from './ago.ts'
export type { SettingsPage } from './page.ts'
export { createPasswordPage } from './pages/password.ts'
export { passwordStep } from './password-step.ts'
export { createPlaces } from './places.ts'
export { settings } from './routes.ts'
export type { SettingsOptions, SettingsServices } from './services.ts'

/** The pages of this feature, in the order in which they are offered. */
export const ownPages = pages
