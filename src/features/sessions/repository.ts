import { setImmediate as nextTurn } from 'node:timers/promises'
import type { EpochMs } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Found, SessionCache } from './cache.ts'
import type { LastSeen } from './last-seen.ts'
import type { Rows } from './rows.ts'
import type { Session } from './session.ts'
import type { SessionStore, StoredSession } from './store.ts'

/** Keys in one call to the store, and rows opened at once: a millisecond or two, then other requests are served. */
const BATCH = 100
const MAX_LISTED = 10_000
/** Seconds after which a failed store is worth another try. */
const RETRY_AFTER = 5

/** Sessions that were asked for by key, alive or not. */
export interface FoundMany {
  readonly sessions: readonly Session[]
  /** Keys of rows that do not open, or whose user's sessions are to end: they count for nothing, and may again one day. */
  readonly unreadable: readonly string[]
}

/**
 * Sessions, wherever they are: in memory, in the store, or with a last use that is not written yet. `find…` takes what is
 * in memory where no other node can know better, `read` asks the store. What they give back may be over: the caller judges.
 * Any call may reject with AppError STORE_UNAVAILABLE.
 */
export interface Repository {
  find(key: string): Promise<Session | undefined>
  /** However many keys: the store is asked in batches. */
  findMany(keys: ReadonlySet<string>): Promise<FoundMany>
  /** @returns the key of the row with this public id; its session is undefined when the row does not open */
  findById(id: string): Promise<{ readonly key: string; readonly session?: Session } | undefined>
  /** Of one user or of all, at most 10,000. */
  findAll(user?: string): Promise<readonly Session[]>
  /** Every session of one user, however many there are: what has to end is not left out. */
  findOfUser(user: string): Promise<readonly Session[]>
  read(key: string): Promise<Found | undefined>
  /** Stores one and takes away those it replaces. */
  put(session: Session, replaces: readonly string[]): Promise<void>
  /**
   * Those of these keys, or of this id, that another one took the place of within the last hour. To be asked after the
   * others found nothing.
   */
  findReplaced(
    of: { readonly keys: readonly string[] } | { readonly id: string },
  ): Promise<readonly Session[]>
  /**
   * Stores one in the place of another.
   * @param knownUntil until when `findReplaced` finds the other one
   * @returns false when the other one is over: then neither is stored
   */
  replace(session: Session, key: string, knownUntil: EpochMs): Promise<boolean>
  /** Writes the last use of those that are still there. */
  touch(sessions: readonly Session[]): Promise<void>
  /** Ends sessions. @returns how many were stored */
  drop(keys: readonly string[]): Promise<number>
  /** Ends all sessions of these users. @param dropped is told of each. @returns how many were stored */
  dropUsers(
    names: readonly string[],
    dropped: (name: string, count: number) => void,
  ): Promise<number>
  sweep(now: EpochMs, limit: number): Promise<number>
}

export interface RepositoryOptions {
  readonly store: SessionStore
  readonly cache: SessionCache
  readonly rows: Rows
  readonly lastSeen: Pick<LastSeen, 'unwritten' | 'drop' | 'dropUsers'>
}

export function createRepository(options: RepositoryOptions): Repository {
  return { ...createReads(options), ...createWrites(options), ...createEnds(options) }
}

function createReads({
  store,
  cache,
  rows,
  lastSeen,
}: RepositoryOptions): Pick<
  Repository,
  'find' | 'findMany' | 'findById' | 'findReplaced' | 'findAll' | 'findOfUser' | 'read'
> {
  const inMemory = (key: string): Session | undefined =>
    store.changes === undefined ? cache.peek(key)?.session : undefined

  /** A stored session, with a last use that may not have been written yet. */
  function latest(row: StoredSession): Session | undefined {
    const session = rows.open(row)
    const used = session && lastSeen.unwritten(session.key)
    if (session && used !== undefined && used > session.lastSeen) session.lastSeen = used
    return session
  }

  async function read(key: string): Promise<Found | undefined> {
    const row = await ask('get', () => store.get(key))
    const session = row && latest(row)
    return session && { session, owner: row.owner }
  }

  async function listed(user: string | undefined, limit: number): Promise<readonly Session[]> {
    const owners = user === undefined ? undefined : rows.owners(user)
    const found = await ask('list', () => store.list(owners, limit))
    const sessions: Session[] = []
    for (const some of batches(found)) {
      for (const row of some) {
        const session = inMemory(row.key) ?? latest(row)
        if (session !== undefined) sessions.push(session)
      }
      if (some.length === BATCH) await nextTurn()
    }
    return sessions
  }

  return {
    read,
    find: async (key) => inMemory(key) ?? (await read(key))?.session,

    async findMany(keys) {
      const sessions: Session[] = []
      const unreadable: string[] = []
      const unknown: string[] = []
      for (const key of keys) {
        const known = inMemory(key)
        if (known === undefined) unknown.push(key)
        else sessions.push(known)
      }
      for (const some of batches(unknown)) {
        for (const row of await ask('get', () => store.getMany(some))) {
          const session = latest(row)
          if (session === undefined) unreadable.push(row.key)
          else sessions.push(session)
        }
        if (some.length === BATCH) await nextTurn()
      }
      return { sessions, unreadable }
    },

    async findById(id) {
      const row = await ask('find', () => store.findById(id))
      if (row === undefined) return undefined
      const session = inMemory(row.key) ?? rows.open(row)
      return { key: row.key, ...(session !== undefined && { session }) }
    },

    async findReplaced(of) {
      const sessions: Session[] = []
      for (const some of 'id' in of ? [of] : [...batches(of.keys)].map((keys) => ({ keys })))
        for (const row of await ask('get', () => store.replaced(some))) {
          const session = rows.open(row)
          if (session !== undefined) sessions.push(session)
        }
      return sessions
    },

    findAll: (user) => listed(user, MAX_LISTED),
    findOfUser: (user) => listed(user, Number.MAX_SAFE_INTEGER),
  }
}

function createWrites({
  store,
  cache,
  rows,
  lastSeen,
}: RepositoryOptions): Pick<Repository, 'put' | 'replace' | 'touch' | 'drop'> {
  /** Sessions that are being stored, and whether they were ended while that went on. */
  const storing = new Map<string, { ended: boolean }>()

  function forget(key: string): void {
    const pending = storing.get(key)
    if (pending !== undefined) pending.ended = true
    cache.forget(key)
    lastSeen.drop(key)
  }

  /** Stores a session by `work`, and keeps it in memory unless that failed or it was ended meanwhile. */
  async function keepAfter<T>(session: Session, work: () => Promise<T>): Promise<T> {
    const pending = { ended: false }
    storing.set(session.key, pending)
    try {
      const result = await work()
      // Where other nodes write, it may have ended by now: the first request that asks for it reads it.
      if (store.changes === undefined && result !== false && !pending.ended) cache.put(session)
      return result
    } finally {
      storing.delete(session.key)
    }
  }

  return {
    async put(session, replaces) {
      const row = rows.seal(session)
      await keepAfter(session, () => ask('put', () => store.put(row, replaces, session.expiresAt)))
      for (const key of replaces) forget(key)
    },

    async replace(session, key, knownUntil) {
      const times = { endsAt: session.expiresAt, knownUntil }
      const row = rows.seal(session)
      const replaced = await keepAfter(session, () =>
        ask('replace', () => store.replace(row, key, times)),
      )
      forget(key)
      return replaced
    },

    async touch(sessions) {
      for (const key of await store.touch(sessions.map(rows.seal))) forget(key)
    },

    async drop(keys) {
      let count = 0
      for (const some of batches(keys)) {
        for (const key of some) forget(key)
        count += await ask('delete', () => store.delete(some))
        // Once more: a read that began before the deletion may have brought it back.
        for (const key of some) forget(key)
      }
      return count
    },
  }
}

function createEnds({
  store,
  cache,
  rows,
  lastSeen,
}: RepositoryOptions): Pick<Repository, 'dropUsers' | 'sweep'> {
  return {
    async dropUsers(names, dropped) {
      const gone = new Set(names)
      const forget = (): void => {
        cache.forgetUsers(gone)
        lastSeen.dropUsers(gone)
      }
      forget()
      let total = 0
      for (const [i, name] of names.entries()) {
        if (i > 0) await nextTurn()
        const count = await ask('delete', () => store.deleteOwned(rows.owners(name)))
        dropped(name, count)
        total += count
      }
      forget() // as in drop
      return total
    },
    sweep: (now, limit) => store.sweep(now, limit),
  }
}

function* batches<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += BATCH) yield all.slice(at, at + BATCH)
}

/** Whatever goes wrong in a store is the same refusal: no session can be looked at, and no cookie is touched. */
async function ask<T>(operation: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (cause) {
    throw new AppError('STORE_UNAVAILABLE', { operation }, { cause, retryAfter: RETRY_AFTER })
  }
}
