import { setImmediate as nextTurn } from 'node:timers/promises'
import type { BaseLogger } from 'pino'
import type { Clock, EpochMs } from '../../kernel/clock.ts'
import type { AuditStore } from './store.ts'

const INTERVAL = 3_600_000
/** Not with the start, which has enough to do. */
const FIRST = 300_000
const BATCH = 500

export interface SweepOptions {
  readonly store: Pick<AuditStore, 'sweep' | 'shed' | 'count'>
  readonly clock: Clock
  /** Milliseconds. */
  readonly retention: number
  readonly most: number
}

/** Removes what is older than it may be, then what is too much, a batch at a time. @returns how many */
export async function sweep({ store, clock, retention, most }: SweepOptions): Promise<number> {
  let removed = 0
  const all = async (batch: () => Promise<number>): Promise<void> => {
    for (;;) {
      const count = await batch()
      removed += count
      if (count === 0) return
      await nextTurn()
    }
  }
  // A time minus a duration is a time; arithmetic drops the brand.
  await all(() => store.sweep((clock.now() - retention) as EpochMs, BATCH))
  let over = (await store.count()) - most
  await all(async () => {
    if (over <= 0) return 0
    const count = await store.shed(Math.min(over, BATCH))
    over -= count
    return count
  })
  return removed
}

/** Sweeps now and then. Does not keep the process alive. @returns stops it */
export function startSweeping(
  options: SweepOptions & { readonly log: Pick<BaseLogger, 'error'> },
): () => void {
  let running = false
  const round = async (): Promise<void> => {
    if (running) return
    running = true
    try {
      await sweep(options)
    } catch (error) {
      options.log.error({ err: error }, 'old audit events could not be removed')
    }
    running = false
  }
  const timers = [setTimeout(() => void round(), FIRST), setInterval(() => void round(), INTERVAL)]
  for (const timer of timers) timer.unref()
  return () => {
    // Both are timers, and either function clears either.
    for (const timer of timers) clearInterval(timer)
  }
}
