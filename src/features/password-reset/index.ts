/**
 * Forgotten passwords: asked for by name, proved by the link in a mail, changed once.
 *
 * Owns the tokens and what makes each of them valid once (store.ts), the requests that are worked off after their answer, the
 * pages and Authelia's four calls. Does not own the mail (notify), the password (users, and the policy that it has to pass), or
 * sessions and known devices, which end with a new password.
 *
 *   POST /api/reset-password/identity/start    {username}; the same answer for every name
 *   POST /api/reset-password/identity/finish   {token}; exchanges it for a cookie, once
 *   POST, DELETE /api/reset-password           {password} with that cookie; {token} is revoked
 *   GET, POST /reset-password                  the form that asks; GET …/sent: that a mail is under way, always
 *   GET, POST /reset-password/step2            the mail's link: ?token=; GET …/done: that it is changed
 *   GET, POST /revoke/reset-password           the mail's second link: ?token=
 *   GET /.well-known/change-password           to the page where a password is changed
 *
 * A GET changes nothing: programs that look at mails follow the links in them.
 */
export { forgottenPath, openPasswordReset } from './open.ts'
export type { PasswordReset } from './reset.ts'
export { changePasswordRoute, passwordResetRoutes } from './routes.ts'
