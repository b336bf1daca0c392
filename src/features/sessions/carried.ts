import { setImmediate as nextTurn } from 'node:timers/promises'
import { isWellFormed } from './cookie.ts'
import { keyOf } from './record.ts'
import type { Session } from './session.ts'
import type { StoredSession } from './stores/index.ts'

/** Keys in one call to the store: less than a millisecond of its time, then others get their turn. */
export const BATCH = 100

/** What the session cookies of one request stand for, in every domain, alive or not. */
export interface Carried {
  readonly sessions: readonly Session[]
  /** Store keys of rows that do not open, or that are to end: they count for nothing, and may again one day. */
  readonly unreadable: readonly string[]
}

export interface CarriedOptions {
  /** Undefined where only the store can know. */
  readonly inMemory: (key: string) => Session | undefined
  /** @throws AppError STORE_UNAVAILABLE */
  readonly read: (keys: readonly string[]) => Promise<readonly StoredSession[]>
  readonly open: (row: StoredSession) => Session | undefined
}

/**
 * Reads the sessions that a request carries, however many cookies came with it. A header of 64 KiB has room for some 1,400
 * values, so that the store is asked in batches.
 */
export function createCarried({ inMemory, read, open }: CarriedOptions) {
  return async (values: readonly string[]): Promise<Carried> => {
    const sessions: Session[] = []
    const unreadable: string[] = []
    const unknown: string[] = []
    for (const key of new Set(values.filter(isWellFormed).map(keyOf))) {
      const known = inMemory(key)
      if (known === undefined) unknown.push(key)
      else sessions.push(known)
    }
    for (const keys of batches(unknown)) {
      for (const row of await read(keys)) {
        const session = open(row)
        if (session === undefined) unreadable.push(row.key)
        else sessions.push(session)
      }
      if (keys.length === BATCH) await nextTurn()
    }
    return { sessions, unreadable }
  }
}

export function* batches(keys: readonly string[]): Generator<readonly string[]> {
  for (let at = 0; at < keys.length; at += BATCH) yield keys.slice(at, at + BATCH)
}
