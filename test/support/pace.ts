import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Whether `work` is done before a timer of `ms` that starts with it in this process. Both wait for the same event loop, so
 * a busy machine makes both late: the answer tells what `work` waits for, and not how fast the machine is. For work of this
 * process only.
 *
 * @param ms milliseconds
 * @throws what `work` throws
 */
export async function settlesWithin(ms: number, work: () => Promise<unknown>): Promise<boolean> {
  const timer = new AbortController()
  const late = sleep(ms, 'late', { signal: timer.signal }).then(async () => {
    // What was due before this timer, and what it settles in the next turns, comes first.
    for (let turns = 0; turns < 3; turns++) await new Promise((resolve) => setImmediate(resolve))
    return false
  })
  late.catch(() => {})
  try {
    const settled = () => true
    return await Promise.race([work().then(settled), late])
  } finally {
    timer.abort()
  }
}

/**
 * The fastest of several attempts, in milliseconds. A busy machine delays most of them and rarely all: what the fastest one
 * took is what the program itself waits for.
 */
export function fastest(took: readonly number[]): number {
  return Math.min(...took)
}

/** Waits until it is so. @throws Error naming `what` after half a minute */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  every = 10,
): Promise<void> {
  const began = performance.now()
  do {
    if (await holds()) return
    await sleep(every)
  } while (performance.now() - began < 30_000)
  throw new Error(`${what}: it never was`)
}
