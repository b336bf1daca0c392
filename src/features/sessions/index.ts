/**
 * Sessions: start, recognise, revoke, list.
 *
 * Owns the cookie and its value, how long a session lives, the records and where they are kept (stores/), the cache in
 * front of the store, the end of sessions after a change of users that no server saw (outdated.ts), and the session slice
 * of the configuration. Does not own who a user is (users), what they may open (access) or how they sign in (login).
 *
 * Data path: cookie value → SHA-256 → cache → store → unsealed record → rules of session.ts → profile from users. A
 * known session takes no IO. Whatever fails on the way is "no session" or STORE_UNAVAILABLE, never a yes.
 */

export type { Started } from './begin.ts'
export { cookieValues } from './cookie.ts'
export { type CookieDomain, cookieDomains, domainFinder } from './cookie-domain.ts'
export { createSessions } from './create-sessions.ts'
export {
  type Factor,
  type FactorKind,
  hasFactor,
  levelOf,
  methodReferencesOf,
} from './factors.ts'
export { createMemoryOnce, createRedisOnce, createSqliteOnce } from './once/index.ts'
export type { OnceStore } from './once-store.ts'
export { revokeSessions } from './operations.ts'
export { endOutdatedSessions } from './outdated.ts'
export type { ElevateOptions, RaiseOptions } from './raise.ts'
export type { Identity, Session } from './session.ts'
export type { Sessions, SessionsOptions } from './sessions.ts'
export type { LinkOptions, StartOptions } from './start.ts'
export type { SessionStore, StoredSession } from './store.ts'
export { createMemoryStore, createRedisStore, createSqliteStore } from './stores/index.ts'
