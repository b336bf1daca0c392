import { createHmac, randomBytes } from 'node:crypto'
import type { Clock } from '../../../kernel/clock.ts'
import { GenerationalCache } from '../../../kernel/generational-cache.ts'
import type { Basic } from './basic.ts'

/**
 * Successful Basic credentials, so that a program that sends its password with every request doesn't cost a hash each
 * time. Kept as a keyed hash with a key that dies with the process; failures are never kept. Whether the user still exists
 * is asked every time, by the caller.
 */
export interface BasicCache {
  /** The canonical name that these credentials were good for a moment ago. */
  recall(credentials: Basic): string | undefined
  keep(credentials: Basic, name: string): void
  /** A user who was removed, or whose password changed. */
  forget(name: string): void
}

interface Kept {
  readonly name: string
  readonly until: number
}

/** Programs that use Basic are few; a client that floods this with right passwords has them anyway. */
const LIMIT = 10_000

/** @param lifespan milliseconds; 0 keeps nothing */
export function createBasicCache(lifespan: number, clock: Clock): BasicCache {
  const key = randomBytes(32)
  const kept = new GenerationalCache<Kept>(LIMIT)
  const digest = ({ username, password }: Basic): Buffer =>
    createHmac('sha256', key)
      // Length first: `a:bc` and `ab:c` must not be the same text.
      .update(`${Buffer.byteLength(username)}:${username}${password}`)
      .digest()

  return {
    recall(credentials) {
      if (lifespan === 0) return undefined
      const id = digest(credentials).toString('base64')
      const found = kept.get(id)
      if (found === undefined) return undefined
      if (clock.monotonic() < found.until) return found.name
      kept.delete(id)
      return undefined
    },
    keep(credentials, name) {
      if (lifespan === 0) return
      kept.set(digest(credentials).toString('base64'), {
        name,
        until: clock.monotonic() + lifespan,
      })
    },
    forget(name) {
      kept.deleteWhere((entry) => entry.name === name)
    },
  }
}
