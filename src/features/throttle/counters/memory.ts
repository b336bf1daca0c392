import type { Clock } from '../../../kernel/clock.ts'
import { detach } from '../../../kernel/detach.ts'
import type { FailureCounter } from '../failure-counter.ts'
import type { Windows } from '../limits.ts'
import { longest, waitFor } from '../windows.ts'

/**
 * Some 100 MB if every key had one stamp, 10 MB if each had many. Past it the keys that were longest without a failure
 * are forgotten: who has that many addresses to try from is stopped by regulation, not by this.
 */
const MAX_STAMPS = 500_000
/** Keys that are looked at for being over, at every take: more than one take can add. */
const SWEPT = 4

/** Counts in this process; a restart forgets. Bounded, whatever addresses and names are made up. */
export function createMemoryCounter({
  windows,
  clock,
  maxStamps = MAX_STAMPS,
}: {
  readonly windows: Windows
  readonly clock: Clock
  readonly maxStamps?: number
}): FailureCounter {
  const span = longest(windows)
  /** Ascending stamps by key; keys in the order of their last failure. No list is empty. */
  const kept = new Map<string, number[]>()
  let total = 0

  const drop = (key: string, stamps: readonly number[]): void => {
    kept.delete(key)
    total -= stamps.length
  }

  /** Forgets what counts for nothing any more, a little at a time, and the oldest when there is too much. */
  function sweep(now: number): void {
    let looked = 0
    for (const [key, stamps] of kept) {
      const last = stamps.at(-1) ?? 0
      if (last + span <= now || total > maxStamps) drop(key, stamps)
      else if (++looked >= SWEPT) return
    }
  }

  function current(key: string, now: number): number[] {
    const stamps = kept.get(key) ?? []
    const from = stamps.findIndex((stamp) => stamp + span > now)
    const over = from === -1 ? stamps.length : from
    if (over > 0) {
      stamps.splice(0, over)
      total -= over
      if (stamps.length === 0) kept.delete(key)
    }
    return stamps
  }

  return {
    async take(key) {
      const now = clock.monotonic()
      const stamps = current(key, now)
      const wait = waitFor(windows, stamps, now)
      if (wait > 0) return { ok: false, wait }
      stamps.push(now)
      total++
      const own = kept.has(key) ? key : detach(key)
      kept.delete(key)
      kept.set(own, stamps)
      sweep(now)
      return { ok: true, receipt: String(now) }
    },
    async giveBack(key, receipt) {
      const stamps = kept.get(key) ?? []
      const at = stamps.lastIndexOf(Number(receipt))
      if (at === -1) return
      stamps.splice(at, 1)
      total--
      if (stamps.length === 0) kept.delete(key)
    },
    async wait(key) {
      const now = clock.monotonic()
      return Math.max(0, waitFor(windows, current(key, now), now))
    },
  }
}
