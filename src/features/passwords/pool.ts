import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Job } from './line.ts'
import { createWaiting, type Reserved } from './waiting.ts'

export interface PoolOptions {
  /** How many jobs run at the same time. */
  readonly concurrency: number
  /** How many may wait, over all clients. For known devices there is a quarter more, at least `LEAST_RESERVED`. */
  readonly queue: number
  readonly clock: Clock
}

/** Who a job is for, and what it must not run beside. */
export interface Place {
  /** Lock keys: of two jobs with one in common the later waits for the earlier, and lets others go first meanwhile. */
  readonly alone?: readonly string[]
  /** A place is reserved for the job: it comes from a device that this user has signed in with before. */
  readonly reserved?: Reserved | undefined
}

/**
 * Bounded slots for costly work. Two lines wait for them: known devices, shared fairly between users, and all others, shared
 * fairly between client addresses.
 */
export interface Pool {
  /**
   * Runs the work when a slot is free for it.
   * @param client the client's address; '' for the server's own work, for which places are reserved
   * @throws AppError HASHING_BUSY at once when there is no place, or later when the job loses its place
   */
  run<T>(client: string, work: () => Promise<T>, place?: Place): Promise<T>
  /** Refuses what waits and what comes; resolves when nothing runs any more. */
  close(): Promise<void>
}

/** What a job is taken to last before one was measured, and how much a new measurement counts. */
const FIRST_GUESS_MS = 500
const SMOOTHING = 0.2
const MAX_RETRY_AFTER = 60
export function createPool({ concurrency, queue, clock }: PoolOptions): Pool {
  const waiting = createWaiting(queue)
  /** The lock keys of what runs. */
  const locked = new Set<string>()
  let running = 0
  let meanMs = FIRST_GUESS_MS
  let closed = false
  let idle: (() => void) | undefined

  function busy(reason: string): AppError {
    const queued = waiting.length
    const seconds = Math.ceil((((queued + running) / concurrency) * meanMs) / 1000)
    return new AppError(
      'HASHING_BUSY',
      { reason, queued, running },
      { retryAfter: Math.min(MAX_RETRY_AFTER, Math.max(1, seconds)) },
    )
  }

  const mayRun = ({ lockKeys }: Pick<Job, 'lockKeys'>): boolean =>
    !lockKeys.some((key) => locked.has(key))

  /** Fills the free slots: a job that ends may free a lock key for several. */
  function next(): void {
    while (running < concurrency) {
      const job = waiting.take(mayRun)
      if (job === undefined) break
      job.start()
    }
    if (running === 0) idle?.()
  }

  async function occupy<T>(work: () => Promise<T>, lockKeys: readonly string[]): Promise<T> {
    running++
    for (const key of lockKeys) locked.add(key)
    const began = clock.monotonic()
    try {
      return await work()
    } finally {
      meanMs += SMOOTHING * (clock.monotonic() - began - meanMs)
      running--
      for (const key of lockKeys) locked.delete(key)
      next()
    }
  }

  return {
    async run(client, work, { alone: lockKeys = [], reserved } = {}) {
      if (closed) throw busy('closing')
      // While a slot is free, all that waits does so for a lock key, and delays nothing else.
      if (running < concurrency && mayRun({ lockKeys })) return occupy(work, lockKeys)
      return new Promise((resolve, reject) => {
        const job = {
          lockKeys,
          start: () => void occupy(work, lockKeys).then(resolve, reject),
          refuse: reject,
        }
        waiting.enqueue(client, reserved, job, busy)
      })
    },
    async close() {
      closed = true
      for (const job of waiting.drain()) job.refuse(busy('closing'))
      if (running === 0) return
      await new Promise<void>((resolve) => {
        idle = resolve
      })
    },
  }
}
