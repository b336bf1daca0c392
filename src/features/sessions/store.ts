/** Where sessions are kept. A new store is a file in stores/, a line in its index and a run of test/conformance/session-store.ts. */
import type { EpochMs } from '../../kernel/clock.ts'

/**
 * Milliseconds for which the old cookie of a raised session still ends what became of it. Longer than a request that was
 * sent with it can be under way; longer than a list of sessions is looked at.
 */
export const REPLACED_FOR = 3_600_000

/** All that a store gets to see. Nothing in it says who the user is, and nothing can be sent as a cookie. */
export interface StoredSession {
  /** SHA-256 of the cookie's value, base64url. */
  readonly key: string
  /** Public id, random. */
  readonly id: string
  /** Index token of the user: a keyed hash of the name. */
  readonly owner: string
  /** The record, sealed for this key, id and owner. */
  readonly sealed: Uint8Array
  /** From now on the store may forget it. What counts stands in the record. */
  readonly expiresAt: EpochMs
}

/** What a store that other processes write to says of changes, so that what was read can be kept in memory. */
export interface SessionChanges {
  /** What was read before counts only while this wall time lies in the future; 0: not at all. */
  readonly trust: { readonly until: number }
  /** Changes of our own are told too. */
  onChange(listener: ChangeListener): void
}

export interface ChangeListener {
  /** These sessions may have ended. */
  ended(keys: readonly string[]): void
  /** All sessions of these owners may have ended. */
  ownersEnded(owners: ReadonlySet<string>): void
  /** Anything may have happened. */
  lost(): void
}

/**
 * Keeps sealed sessions. Any call may reject with any error when the store fails; repository.ts turns it into the
 * refusal that a client gets. Every call ends: a store that may hang has a time limit of its own. What a call
 * acknowledged is durable, and every call that begins later sees it.
 */
export interface SessionStore {
  /** Of a store that others write to as well; without it, this process is the only one. */
  readonly changes?: SessionChanges
  get(key: string): Promise<StoredSession | undefined>
  /** Those that are there, of at most some hundred keys, in any order. */
  getMany(keys: readonly string[]): Promise<readonly StoredSession[]>
  findById(id: string): Promise<StoredSession | undefined>
  /** @param owners the tokens of one user; undefined: those of all users */
  list(owners: readonly string[] | undefined, limit: number): Promise<readonly StoredSession[]>
  /**
   * Adds one and removes those it replaces; when it rejects, the new one must not be used.
   * @param endsAt its absolute end, which use does not move; `expiresAt` unless told
   */
  put(session: StoredSession, replaces: readonly string[], endsAt?: EpochMs): Promise<void>
  /**
   * Puts one in the place of another of the same user, if that is still there and was not ended: of any number of calls for
   * the same one, on any number of instances, one succeeds. When it rejects, the new one must not be used, and the other one
   * may be over.
   * The other one moves to `replaced` in the same step: what ends it from then on finds it there, and with it the sign-in
   * that the new one belongs to.
   * @param times.endsAt as for `put`
   * @param times.knownUntil until when `replaced` has the other one; `expiresAt` unless told
   * @returns false when the other one is over: the new one is none then
   */
  replace(
    session: StoredSession,
    key: string,
    times?: { readonly endsAt?: EpochMs; readonly knownUntil?: EpochMs },
  ): Promise<boolean>
  /**
   * Those that another one took the place of, by key or public id. They are over; asked after `getMany` or `findById` found
   * nothing, no replacement is missed that was done before that.
   */
  replaced(
    of: { readonly keys: readonly string[] } | { readonly id: string },
  ): Promise<readonly StoredSession[]>
  /**
   * Rewrites those that are still there: a session that was deleted meanwhile must not come back.
   * @returns the keys of those that are gone
   */
  touch(sessions: readonly StoredSession[]): Promise<readonly string[]>
  /** @returns how many there were */
  delete(keys: readonly string[]): Promise<number>
  /** @returns how many there were */
  deleteOwned(owners: readonly string[]): Promise<number>
  /**
   * Forgets at most `limit` of those whose time is over.
   * @returns how many it forgot
   */
  sweep(now: EpochMs, limit: number): Promise<number>
}
