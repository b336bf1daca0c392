import { setImmediate as nextTurn } from 'node:timers/promises'

const INTERVAL = 60_000
/** Rows a statement: a few milliseconds, then requests get their turn. */
const BATCH = 500

/**
 * Removes what is over once a minute, a batch at a time. Does not keep the process alive.
 * @returns stops it
 */
export function startSweeper({
  sweep,
  failed,
}: {
  /** Removes at most `limit`. @returns how many it removed */
  readonly sweep: (limit: number) => Promise<number>
  readonly failed: (error: unknown) => void
}): () => void {
  let stopped = false
  let running = false
  const round = async (): Promise<void> => {
    if (running) return
    running = true
    try {
      while (!stopped && (await sweep(BATCH)) === BATCH) await nextTurn()
    } catch (error) {
      if (!stopped) failed(error)
    }
    running = false
  }
  const timer = setInterval(() => void round(), INTERVAL).unref()
  return () => {
    stopped = true
    clearInterval(timer)
  }
}
