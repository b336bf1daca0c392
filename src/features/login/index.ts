/**
 * Login: where people sign in and out.
 *
 * Owns the first factor, the sign-in flow (flow.ts) and its pages. Does not own whose password something is (users), what a
 * session is (sessions), what a user may open (access), nor what all pages of the portal share (portal).
 *
 *   GET, POST /                      sign in; the flow decides which page is shown
 *   GET, POST /logout                a page that posts; the session ends
 *   GET /forbidden                   "not allowed here", for nginx's error_page
 *   GET, DELETE /api/user/devices[/{id}]   browsers that are known to be one's own
 *   GET /api/state · POST /api/firstfactor, /api/logout, /api/checks/safe-redirection
 */
export type { LoginOptions } from './options.ts'
export { loginRoutes as login } from './routes.ts'
