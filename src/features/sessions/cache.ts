import { LRUCache } from 'lru-cache'
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
  put(session: Session): Entry
  /** Fetches what is not here yet; callers that ask for the same key at once share one read. */
  fetch(key: string, read: () => Promise<Session | undefined>): Promise<Entry | undefined>
  forget(key: string): void
  forgetUser(user: string): void
}

/** A read from the store that is under way, and what was forgotten since it began. */
interface Reading {
  readonly entry: Promise<Entry | undefined>
  forgotten: boolean
  readonly users: Set<string>
}

/** @param limit how many sessions are kept at the most; about 1 KB each */
export function createCache(limit: number): SessionCache {
  const entries = new LRUCache<string, Entry>({ max: limit })
  const readings = new Map<string, Reading>()

  const put = (session: Session): Entry => {
    const entry: Entry = { session, identity: undefined }
    entries.set(session.key, entry)
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
          return put(session)
        })
        .finally(() => readings.delete(key)),
    }
    readings.set(key, reading)
    return reading
  }

  return {
    get: (key) => entries.get(key),
    peek: (key) => entries.peek(key),
    put,
    fetch: (key, read) => (readings.get(key) ?? begin(key, read)).entry,
    forget(key) {
      entries.delete(key)
      const reading = readings.get(key)
      if (reading !== undefined) reading.forgotten = true
    },
    forgetUser(user) {
      for (const reading of readings.values()) reading.users.add(user)
      const keys = [...entries.values()]
        .filter(({ session }) => session.user === user)
        .map(({ session }) => session.key)
      for (const key of keys) entries.delete(key)
    },
  }
}
