import { GenerationalCache } from '../../kernel/generational-cache.ts'
import type { Identity, Session } from './session.ts'

/** A live session in memory. */
export interface Entry {
  readonly session: Session
  /** The token by which the store knows its user; empty where the store has no need of it. */
  readonly owner: string
  /** The answer of the last use; good for as long as the profile is still the same object. */
  identity: Identity | undefined
}

/** What a store had, opened. */
export interface Found {
  readonly session: Session
  readonly owner: string
}

type Read = () => Promise<Found | undefined>

/**
 * Live sessions by store key, so that a verify with a known session does no IO. Only what a store had is ever in it: a
 * flood of made-up cookies pushes no session out.
 *
 * Forgetting is final: what a read from the store that began before still brings is thrown away. Doubting is not: such a
 * read is done again, and not kept.
 */
export interface SessionCache {
  get(key: string): Entry | undefined
  /** As `get`, but does not count as a use. */
  peek(key: string): Entry | undefined
  put(session: Session): void
  /** Fetches what is not here yet; callers that ask for the same key at once share one read. */
  fetch(key: string, read: Read): Promise<Entry | undefined>
  forget(key: string): void
  forgetUsers(users: ReadonlySet<string>): void
  /** Another process may have changed these in the store. */
  doubt(keys: readonly string[]): void
  doubtOwners(owners: ReadonlySet<string>): void
  doubtAll(): void
}

/** A read from the store that is under way, and what happened since it began. */
interface Reading {
  readonly entry: Promise<Entry | undefined>
  forgotten: boolean
  doubted: boolean
  readonly users: Set<string>
  readonly owners: Set<string>
}

/** @param limit how many sessions are kept at the most; about 600 bytes each */
export function createCache(limit: number): SessionCache {
  const entries = new GenerationalCache<Entry>(limit)
  const readings = new Map<string, Reading>()

  const keep = (entry: Entry): Entry => {
    entries.set(entry.session.key, entry)
    return entry
  }

  const begin = (key: string, read: Read): Reading => {
    const reading: Reading = {
      forgotten: false,
      doubted: false,
      users: new Set(),
      owners: new Set(),
      entry: follow(key, read, () => reading),
    }
    readings.set(key, reading)
    return reading
  }

  const follow = async (
    key: string,
    read: Read,
    self: () => Reading,
  ): Promise<Entry | undefined> => {
    try {
      const found = await read()
      const reading = self()
      const isOld = (one: Found) => reading.doubted || reading.owners.has(one.owner)
      if (found === undefined || !isOld(found)) return admit(found, reading, keep)
      return admit(await read(), reading, (entry) => entry)
    } finally {
      if (readings.get(key) === self()) readings.delete(key)
    }
  }

  return {
    get: (key) => entries.get(key),
    peek: (key) => entries.peek(key),
    put(session) {
      keep({ session, owner: '', identity: undefined })
    },
    fetch: (key, read) => (readings.get(key) ?? begin(key, read)).entry,
    forget(key) {
      entries.delete(key)
      const reading = readings.get(key)
      if (reading !== undefined) reading.forgotten = true
    },
    forgetUsers(users) {
      for (const reading of readings.values()) {
        for (const user of users) reading.users.add(user)
      }
      entries.deleteWhere(({ session }) => users.has(session.user))
    },
    doubt(keys) {
      for (const key of keys) {
        entries.delete(key)
        const reading = readings.get(key)
        if (reading !== undefined) reading.doubted = true
        // A request that asks from here on gets a read of its own.
        readings.delete(key)
      }
    },
    doubtOwners(owners) {
      for (const reading of readings.values()) {
        for (const owner of owners) reading.owners.add(owner)
      }
      readings.clear()
      entries.deleteWhere(({ owner }) => owners.has(owner))
    },
    doubtAll() {
      entries.clear()
      for (const reading of readings.values()) reading.doubted = true
      readings.clear()
    },
  }
}

/** What may be taken of what a read brought. */
const admit = (
  found: Found | undefined,
  { forgotten, users }: Reading,
  take: (entry: Entry) => Entry,
): Entry | undefined =>
  found === undefined || forgotten || users.has(found.session.user)
    ? undefined
    : take({ ...found, identity: undefined })
