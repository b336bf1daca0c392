/**
 * Sessions: start, recognise, revoke, list.
 *
 * Owns the cookie and its value, how long a session lives, the records and where they are kept (stores/), the cache in
 * front of the store, the end of sessions after a change of users that no server saw (outdated.ts), and the session slice
 * of the configuration. Does not own who somebody is (users), what they may open (access) or how they sign in (login).
 *
 * Data path: cookie value → SHA-256 → cache → store → unsealed record → rules of session.ts → profile from users. A
 * known session takes no IO. Whatever fails on the way is "no session" or STORE_UNAVAILABLE, never a yes.
 */
import { randomBytes } from 'node:crypto'
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BaseLogger } from 'pino'
import type { Clock, EpochMs } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Secret } from '../../kernel/secret.ts'
import { startSweeper } from '../../storage/index.ts'
import type { Users } from '../users/index.ts'
import { createCache, type Found } from './cache.ts'
import { batches, createCarried } from './carried.ts'
import { expiredCookie } from './cookie.ts'
import { type CookieDomain, cookieDomains, domainFinder } from './cookie-domain.ts'
import { createEndings } from './endings.ts'
import { createLastSeen } from './last-seen.ts'
import { createLinked } from './linked.ts'
import type { SessionConfig } from './manifest.ts'
import { createRaise, type ElevateOptions, type RaiseOptions } from './raise.ts'
import { createRecognition, type NoteReason } from './recognise.ts'
import { createRecords } from './record.ts'
import { forgettableAt, type Identity, isAlive, type Session } from './session.ts'
import { createStart, type LinkOptions, type Started, type StartOptions } from './start.ts'
import type { SessionStore, StoredSession } from './stores/index.ts'

export { cookieValues } from './cookie.ts'
export { type CookieDomain, cookieDomains, domainFinder } from './cookie-domain.ts'
export {
  type Factor,
  type FactorKind,
  hasFactor,
  levelOf,
  methodReferencesOf,
} from './factors.ts'
export {
  createMemoryOnce,
  createRedisOnce,
  createSqliteOnce,
  type OnceStore,
} from './once/index.ts'
export { endOutdatedSessions } from './outdated.ts'
export type { ElevateOptions, RaiseOptions } from './raise.ts'
export type { Identity, Session } from './session.ts'
export type { LinkOptions, Started, StartOptions } from './start.ts'
export {
  createMemoryStore,
  createRedisStore,
  createSqliteStore,
  type SessionStore,
  type StoredSession,
} from './stores/index.ts'

export interface Sessions {
  readonly domains: readonly CookieDomain[]
  /** The domain that covers a canonical host. */
  domainOf(host: string): CookieDomain | undefined
  /**
   * Whose cookie this is. Of up to four values exactly one may belong to a live session of the domain, else it is
   * nobody's (a sibling host could otherwise sign people out, or in, by setting a second one).
   *
   * At once when the one value's session is known, else a promise.
   * @param values of the domain's cookie, as `cookieValues` reads them
   * @param note told why it is nobody's; of several reasons the last one is what counts
   * @throws AppError STORE_UNAVAILABLE, or rejects with it; the cookie is to be left alone then
   */
  identify(
    values: readonly string[],
    domain: CookieDomain,
    note?: NoteReason,
  ): Identity | undefined | Promise<Identity | undefined>
  /**
   * Starts a session under a new id and ends those it replaces: nothing that was known before the sign-in is worth
   * anything after it. One that it replaces of the same user hands on its links to other domains; one of somebody else
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
   * becomes another one: a new id, a new cookie; whoever has the old cookie has nothing. Sessions of other domains that are
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
  readonly users: Pick<Users, 'profile' | 'onRemoved'>
  readonly clock: Clock
  readonly log: Pick<BaseLogger, 'warn' | 'error'>
  /** Told once the sessions of a user who was removed or changed have ended. @param count at least one */
  readonly onRemoved?: (user: string, count: number) => void
  /** Unguessable bytes. */
  readonly random?: (size: number) => Buffer
  /** How many sessions are kept in memory; 100,000 by default, some 60 MB. */
  readonly cacheSize?: number
}

/** Seconds after which a failed store is worth another try. */
const RETRY_AFTER = 5
/** Nobody else writes to the store. */
const ALWAYS = { until: Number.POSITIVE_INFINITY }
const MAX_LISTED = 10_000

export function createSessions(options: SessionsOptions): Sessions {
  const { config, store, users, clock, log, random = randomBytes, cacheSize = 100_000 } = options
  const domains = cookieDomains(config)
  const byName = new Map(domains.map((domain) => [domain.domain, domain]))
  const records = createRecords(options.secrets)
  const cache = createCache(cacheSize)
  const shared = store.changes !== undefined
  const endings = createEndings()
  const lastSeen = createLastSeen({
    domains,
    async write(sessions) {
      for (const key of await store.touch(sessions.map(stored))) drop(key)
    },
    failed: (error) => log.error({ err: error }, 'the last use of sessions could not be stored'),
  })
  const stopSweeper = startSweeper({
    async sweep(limit) {
      if (endings.pending().length > 0) await revokeUsers(endings.pending())
      return store.sweep(clock.now(), limit)
    },
    failed: (error) => log.error({ err: error }, 'sessions that are over could not be removed'),
  })
  const inBackground = new Set<Promise<void>>()
  /** Users who were removed or changed, and whose sessions have not ended yet. */
  const removed = new Set<string>()
  let warned = false

  function stored(session: Session): StoredSession {
    const domain = byName.get(session.domain)
    const until = domain === undefined ? session.expiresAt : forgettableAt(session, domain)
    return records.seal(session, until)
  }

  function open(row: StoredSession): Session | undefined {
    const session = records.open(row)
    if (session !== undefined) return endings.covers(session) ? undefined : session
    // It stays where it is: after a mistake with the secret, putting the old one back brings everybody back.
    if (!warned) {
      log.warn(
        'a stored session could not be opened and counts as none: session.secret was changed, a later release wrote it, or the store was tampered with (said once)',
      )
    }
    warned = true
    return undefined
  }

  /** A stored session, with a last use that may not have been written yet. */
  function latest(row: StoredSession): Session | undefined {
    const session = open(row)
    const used = session && lastSeen.unwritten(session.key)
    if (session && used !== undefined && used > session.lastSeen) session.lastSeen = used
    return session
  }

  async function read(key: string): Promise<Found | undefined> {
    const row = await ask('get', () => store.get(key))
    const session = row && latest(row)
    return session && { session, owner: row.owner }
  }

  /** Sessions that are being stored, and whether they were ended while that went on. */
  const storing = new Map<string, { ended: boolean }>()
  async function keepUnlessEnded<T>(session: Session, work: () => Promise<T>): Promise<T> {
    const watch = { ended: false }
    storing.set(session.key, watch)
    try {
      const result = await work()
      // With others about it may have ended by now; whoever asks for it first reads it.
      if (!shared && result !== false && !watch.ended) cache.put(session)
      return result
    } finally {
      storing.delete(session.key)
    }
  }

  function drop(key: string): void {
    const watch = storing.get(key)
    if (watch !== undefined) watch.ended = true
    cache.forget(key)
    lastSeen.drop(key)
  }

  /** Nobody has to wait for it: the rules refuse the session whether the store still has it or not. */
  function later(work: Promise<unknown>, failure: string): void {
    const done = work
      .then(() => {})
      .catch((error: unknown) => log.error({ err: error }, failure))
      .finally(() => inBackground.delete(done))
    inBackground.add(done)
  }

  async function revoke(keys: readonly string[]): Promise<number> {
    let count = 0
    for (const some of batches(keys)) {
      for (const key of some) drop(key)
      count += await ask('delete', () => store.delete(some))
      // Once more: a read that began before the deletion may have brought it back.
      for (const key of some) drop(key)
    }
    return count
  }

  async function revokeUsers(names: readonly string[]): Promise<number> {
    const gone = new Set(names)
    const forget = (): void => {
      cache.forgetUsers(gone)
      lastSeen.dropUsers(gone)
    }
    return endings.run(gone, clock.now(), async () => {
      forget()
      let total = 0
      for (const [i, name] of names.entries()) {
        if (i > 0) await nextTurn()
        const count = await ask('delete', () => store.deleteOwned(records.owners(name)))
        if (removed.delete(name) && count > 0) options.onRemoved?.(name, count)
        total += count
      }
      forget() // as in revoke
      return total
    })
  }

  /** Whatever is stored, of one user or of everybody, alive or not. */
  async function readAll(user?: string): Promise<Session[]> {
    const owners = user === undefined ? undefined : records.owners(user)
    const rows = await ask('list', () => store.list(owners, MAX_LISTED))
    return rows
      .map((row) => inMemory(row.key) ?? latest(row))
      .filter((session) => session !== undefined)
  }

  /** As it is known here, where nobody else can know better. */
  const inMemory = (key: string): Session | undefined =>
    shared ? undefined : cache.peek(key)?.session
  const readSession = async (key: string): Promise<Session | undefined> =>
    (await read(key))?.session
  const find = async (key: string): Promise<Session | undefined> =>
    inMemory(key) ?? readSession(key)
  const carried = createCarried({
    inMemory,
    read: (keys) => ask('get', () => store.getMany(keys)),
    open: latest,
  })
  // Sessions of one sign-in are found among those of its user; where there is one domain, there is one session.
  const linked = createLinked({ revoke, sessionsOf: readAll, isSingle: domains.length === 1 })
  const domainNamed = (name: string) => byName.get(name)
  const raises = createRaise({
    domainNamed,
    find,
    async replace(session, key) {
      const row = stored(session)
      const done = await keepUnlessEnded(session, () =>
        ask('replace', () => store.replace(row, key, session.expiresAt)),
      )
      drop(key)
      return done
    },
    revoke: (key) => revoke([key]),
    endings,
    linked,
    users,
    clock,
    random,
  })
  const starts = createStart({
    domainNamed,
    find,
    carried,
    read: readSession,
    async put(session, replaced) {
      const row = stored(session)
      await keepUnlessEnded(session, () =>
        ask('put', () => store.put(row, replaced, session.expiresAt)),
      )
      for (const key of replaced) drop(key)
    },
    revoke: (key) => revoke([key]),
    revokeUser: (user) => revokeUsers([user]),
    endings,
    linked,
    users,
    clock,
    random,
  })

  const isAliveAt = (session: Session, now: EpochMs): boolean => {
    const domain = byName.get(session.domain)
    return domain !== undefined && isAlive(session, domain, now)
  }

  store.changes?.onChange({
    ended: cache.doubt,
    ownersEnded: cache.doubtOwners,
    lost: cache.doubtAll,
  })

  users.onRemoved((names) => {
    for (const name of names) removed.add(name)
    later(revokeUsers(names), 'the sessions of removed users are not deleted yet')
  })

  return {
    domains,
    domainOf: domainFinder(domains),

    identify: createRecognition({
      cache,
      trust: store.changes?.trust ?? ALWAYS,
      shared,
      read,
      end: ({ key }) => later(revoke([key]), 'a session that is over could not be removed'),
      used: lastSeen.note,
      users,
      clock,
    }),

    start: starts.start,
    link: starts.link,
    raise: raises.raise,
    elevate: raises.elevate,

    async revoke(key) {
      await revoke([key])
    },
    async end(values, { domain }) {
      const { sessions, unreadable } = await carried(values)
      const now = clock.now()
      // With another secret in use they would be alive again, and their owner has signed out.
      await revoke(unreadable)
      const ended = await linked.end(sessions.filter((session) => session.domain === domain))
      return ended.filter((session) => isAliveAt(session, now))
    },
    revokeUser: (user) => revokeUsers([user]),
    async revokeById(id) {
      const row = await ask('find', () => store.findById(id))
      if (row === undefined) return []
      const session = inMemory(row.key) ?? open(row)
      if (session !== undefined) return (await linked.end([session])).map((one) => one.id)
      // Nobody can use what doesn't open; whoever names it wants it gone all the same.
      return (await revoke([row.key])) > 0 ? [id] : []
    },

    async list(user) {
      const stored = await readAll(user)
      const now = clock.now()
      return stored
        .filter((session) => isAliveAt(session, now))
        .sort((a, b) => b.createdAt - a.createdAt)
    },

    expireCookie: expiredCookie,

    async close() {
      stopSweeper()
      await lastSeen.close()
      await Promise.all(inBackground)
    },
  }
}

/** Whatever goes wrong in a store is the same refusal: no session can be looked at, and no cookie is touched. */
async function ask<T>(operation: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new AppError('STORE_UNAVAILABLE', { operation }, { cause, retryAfter: RETRY_AFTER })
  }
}
