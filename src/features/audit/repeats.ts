import type { Clock } from '../../kernel/clock.ts'

const WINDOW = 60_000
/** Past it the oldest is forgotten: a client with so many networks is written down once more. */
const MOST = 10_000

/** What happened within the last minute already. */
export interface Repeats {
  /** Whether this happened within the last minute; takes note of it if not. */
  has(key: string): boolean
}

export function createRepeats(clock: Clock): Repeats {
  const since = new Map<string, number>()
  return {
    has(key) {
      const now = clock.monotonic()
      const first = since.get(key)
      if (first !== undefined && now - first < WINDOW) return true
      since.delete(key)
      since.set(key, now)
      const [oldest] = since.keys()
      if (since.size > MOST && oldest !== undefined) since.delete(oldest)
      return false
    },
  }
}
