import type { Identity, Session } from './session.ts'

/** A live session in memory. */
export interface Entry {
  readonly session: Session
  /** The answer of the last use; good for as long as the profile is still the same object. */
  identity: Identity | undefined
}

/**
 * Live sessions by store key, so that a verify with a known session does no IO. Only what a store had is ever in it: a
 * flood of made-up cookies pushes nobody out.
 *
 * Forgetting is final: what a read from the store that began before still brings is thrown away.
 */
export interface SessionCache {
  get(key: string): Entry | undefined
  /** As `get`, but does not count as a use. */
  peek(key: string): Entry | undefined
  put(session: Session): void
  /** Fetches what is not here yet; callers that ask for the same key at once share one read. */
  fetch(key: string, read: () => Promise<Session | undefined>): Promise<Entry | undefined>
  forget(key: string): void
  forgetUsers(users: ReadonlySet<string>): void
}

/** A read from the store that is under way, and what was forgotten since it began. */
interface Reading {
  readonly entry: Promise<Entry | undefined>
  forgotten: boolean
  readonly users: Set<string>
}

/**
 * Two generations of half the size each: what is used moves to the young one, and when that is full, the old one goes
 * with all that was not used since. As kernel/memo.ts, and for its reasons: a hit is one look into a Map (an LRU list
 * costs twice that), and nothing is allocated ahead (lru-cache took 13 ms of the start to make room for 100,000).
 *
 * @param limit how many sessions are kept at the most; about 600 bytes each
 */
export function createCache(limit: number): SessionCache {
  const half = Math.max(1, limit >> 1)
  let young = new Map<string, Entry>()
  let old = new Map<string, Entry>()
  const readings = new Map<string, Reading>()

  const keep = (entry: Entry): Entry => {
    if (young.size >= half) {
      old = young
      young = new Map()
    }
    young.set(entry.session.key, entry)
    return entry
  }

  const begin = (key: string, read: () => Promise<Session | undefined>): Reading => {
    const reading: Reading = {
      forgotten: false,
      users: new Set(),
      entry: read()
        .then((session) => {
          if (session === undefined || reading.forgotten || reading.users.has(session.user))
            return undefined
          return keep({ session, identity: undefined })
        })
        .finally(() => readings.delete(key)),
    }
    readings.set(key, reading)
    return reading
  }

  return {
    get(key) {
      const entry = young.get(key)
      if (entry !== undefined) return entry
      const aged = old.get(key)
      if (aged === undefined) return undefined
      old.delete(key)
      return keep(aged)
    },
    peek: (key) => young.get(key) ?? old.get(key),
    put(session) {
      keep({ session, identity: undefined })
    },
    fetch: (key, read) => (readings.get(key) ?? begin(key, read)).entry,
    forget(key) {
      young.delete(key)
      old.delete(key)
      const reading = readings.get(key)
      if (reading !== undefined) reading.forgotten = true
    },
    forgetUsers(users) {
      for (const reading of readings.values()) {
        for (const user of users) reading.users.add(user)
      }
      for (const generation of [young, old]) {
        for (const [key, { session }] of generation) {
          if (users.has(session.user)) generation.delete(key)
        }
      }
    },
  }
}
