import type { BaseLogger } from 'pino'
import { AppError } from '../../../kernel/errors.ts'
import type { AuditEvent } from '../event.ts'
import type { Sink } from '../sink.ts'

export interface GatheringSink extends Sink {
  /** Resolves when all that was taken so far is written. @throws AppError STORE_UNAVAILABLE */
  flush(): Promise<void>
}

/** One commit for what happens together; a kill loses this much of it, and nothing of the log. Milliseconds. */
const GATHER = 100
const BATCH = 200
const RETRY_FIRST = 1_000
const RETRY_MOST = 60_000

export interface GatheringOptions {
  /** Writes what happened together. @throws AppError to be asked again later; any other error is a bug */
  write(events: readonly AuditEvent[]): Promise<void>
  /** How many are remembered while they cannot be written, some 1 kB each. */
  readonly most: number
  readonly words: {
    /** They wait: the first failure. */
    readonly waits: string
    /** Some did not fit, or could not be written. */
    readonly lost: string
  }
  readonly log: Pick<BaseLogger, 'error'>
}

/**
 * Writes events a little later, many at once. No request waits for it, and a database that fails stops no sign-in: events
 * wait in memory then, and what does not fit is counted and said.
 */
export function createGatheringSink({
  write: store,
  most,
  words,
  log,
}: GatheringOptions): GatheringSink {
  const waiting: AuditEvent[] = []
  let dropped = 0
  let pause = RETRY_FIRST
  let timer: NodeJS.Timeout | undefined
  let writing: Promise<void> | undefined

  const write = async (): Promise<void> => {
    while (waiting.length > 0) {
      const batch = waiting.slice(0, BATCH)
      try {
        await store(batch)
      } catch (error) {
        if (error instanceof AppError) throw error
        // A bug: another try would fail too, and would hold up the events behind these.
        log.error({ err: error, count: batch.length }, words.lost)
      }
      waiting.splice(0, batch.length)
    }
    pause = RETRY_FIRST
    if (dropped > 0) log.error({ count: dropped }, words.lost)
    dropped = 0
  }

  /** One at a time: what is written is what stands first. */
  const flush = (): Promise<void> => {
    clearTimeout(timer)
    timer = undefined
    writing ??= write().finally(() => {
      writing = undefined
    })
    return writing
  }

  const later = (ms: number): void => {
    if (timer !== undefined || writing !== undefined) return
    timer = setTimeout(() => {
      timer = undefined
      flush().catch((error: unknown) => {
        if (pause === RETRY_FIRST) log.error({ err: error }, words.waits)
        later(pause)
        pause = Math.min(pause * 2, RETRY_MOST)
      })
    }, ms).unref()
  }

  return {
    take(event) {
      if (waiting.length >= most) dropped++
      else waiting.push(event)
      later(GATHER)
    },
    async flush() {
      // What came while the last round was being written may have missed it.
      while (waiting.length > 0 || writing !== undefined) await flush()
    },
    async close() {
      try {
        await this.flush()
      } catch (error) {
        log.error({ err: error, count: waiting.length }, words.lost)
      }
      clearTimeout(timer)
    },
  }
}
