import type { BaseLogger } from 'pino'
import type { Clock } from '../../kernel/clock.ts'
import type { Secret } from '../../kernel/secret.ts'
import type { Users } from '../users/index.ts'
import type { Started } from './begin.ts'
import type { CookieDomain } from './cookie-domain.ts'
import type { SessionConfig } from './manifest.ts'
import type { ElevateOptions, RaiseOptions } from './raise.ts'
import type { NoteReason } from './recognise.ts'
import type { Identity, Session } from './session.ts'
import type { LinkOptions, StartOptions } from './start.ts'
import type { SessionStore } from './store.ts'

export interface Sessions {
  readonly domains: readonly CookieDomain[]
  /** The domain that covers a canonical host. */
  domainOf(host: string): CookieDomain | undefined
  /**
   * Whose cookie this is. Of up to four values exactly one may belong to a live session of the domain, else none
   * counts (a sibling host could otherwise sign people out, or in, by setting a second one).
   *
   * At once when the one value's session is known, else a promise.
   * @param values of the domain's cookie, as `cookieValues` reads them
   * @param note told why none counts; of several reasons the last one is what counts
   * @throws AppError STORE_UNAVAILABLE, or rejects with it; the cookie is to be left alone then
   */
  identify(
    values: readonly string[],
    domain: CookieDomain,
    note?: NoteReason,
  ): Identity | undefined | Promise<Identity | undefined>
  /**
   * Starts a session under a new id and ends those it replaces: nothing that was known before the sign-in is worth
   * anything after it. One that it replaces of the same user hands on its links to other domains; one of another user
   * ends with all that are linked with it.
   * @throws AppError STORE_UNAVAILABLE; AUTHENTICATION_FAILED when the user's sessions were ended meanwhile
   */
  start(options: StartOptions): Promise<Started>
  /**
   * Starts a session on another domain from a live one of the same browser: the same user, factors, time of signing in
   * and wish to be remembered, within the limits of the domain it is for. The two end together.
   * @returns `kept` when the browser has one of that sign-in there already; undefined when the source is over, its user is
   *   gone, or the domain lets no session live that long after signing in
   * @throws AppError STORE_UNAVAILABLE
   */
  link(options: LinkOptions): Promise<Started | 'kept' | undefined>
  /**
   * Adds a factor that the owner of a live session has just shown, or the new time of one that was shown before. The session
   * becomes another one: a new id, a new cookie; the old cookie is worth nothing. Sessions of other domains that are
   * linked with it end, for their cookies cannot be changed from here; the next request there starts them anew over the
   * hub, with all factors. Of several calls for one session, one succeeds.
   * @returns undefined when the session is over, or its user is gone or was signed out meanwhile: nothing lives then
   * @throws AppError STORE_UNAVAILABLE; the session may be over then
   */
  raise(options: RaiseOptions): Promise<Started | undefined>
  /**
   * Lets a live session change security settings until a time. It becomes another one, as by `raise`; linked sessions stay,
   * and get nothing of it. A time that has passed ends an elevation.
   * @returns as `raise`
   * @throws as `raise`
   */
  elevate(options: ElevateOptions): Promise<Started | undefined>
  /** Ends one session. When it resolves, the session is dead and stays so. */
  revoke(key: string): Promise<void>
  /**
   * Ends every session of the domain that one of these cookie values stands for, and all that are linked with them: of two
   * live ones none counts, and still both have to end when their owner signs out. When it resolves, all of them are over.
   * @param values however many
   * @returns those that were alive
   * @throws AppError STORE_UNAVAILABLE: some of them may live on
   */
  end(values: readonly string[], domain: CookieDomain): Promise<readonly Session[]>
  /** @returns how many were stored */
  revokeUser(user: string): Promise<number>
  /**
   * Ends a session and all that are linked with it: one that stays would start the others anew.
   * @returns the ids of those that ended, this one first; none when there is no such session
   * @throws AppError STORE_UNAVAILABLE
   */
  revokeById(id: string): Promise<readonly string[]>
  /** Live sessions, newest first, at most 10,000. */
  list(user?: string): Promise<readonly Session[]>
  /** The `Set-Cookie` header that takes the cookie away. */
  expireCookie(domain: CookieDomain): string
  /** Writes what is not yet written. The store is not closed: it is the caller's. */
  close(): Promise<void>
}

export interface SessionsOptions {
  readonly config: SessionConfig
  readonly store: SessionStore
  /** The ring: the first seals, all of them open. At least one. */
  readonly secrets: readonly Secret[]
  readonly users: Pick<Users, 'profile' | 'onInvalidated'>
  readonly clock: Clock
  readonly log: Pick<BaseLogger, 'warn' | 'error'>
  /** Told once the sessions of a user who was removed or changed have ended. @param count at least one */
  readonly onRemoved?: (user: string, count: number) => void
  /** Unguessable bytes. */
  readonly random?: (size: number) => Buffer
  /** How many sessions are kept in memory; 100,000 by default, some 60 MB. */
  readonly cacheSize?: number
}
