/** Where counted failures are kept. Another place is a file here and a line in `openCounter`. */
import type { Clock } from '../../../kernel/clock.ts'
import type { RedisConnection } from '../../../storage/redis/index.ts'
import type { Windows } from '../limits.ts'
import { createMemoryCounter } from './memory.ts'

export type Taken =
  /** Counted; `receipt` takes it back. */
  | { readonly ok: true; readonly receipt: string }
  /** Counted in no window at all. `wait`: milliseconds until one fits again. */
  | { readonly ok: false; readonly wait: number }

/** Counts what failed, by key, within windows that all hold at once. Every call is atomic, whoever else calls. */
export interface FailureCounter {
  /** @param key bounded text; @throws AppError STORE_UNAVAILABLE */
  take(key: string): Promise<Taken>
  /** Once a receipt. @throws AppError STORE_UNAVAILABLE */
  giveBack(key: string, receipt: string): Promise<void>
  /** Milliseconds until one fits; 0: now. Counts nothing. @throws AppError STORE_UNAVAILABLE */
  wait(key: string): Promise<number>
}

/** @returns undefined when nothing is limited */
export async function openCounter({
  name,
  windows,
  redis,
  clock,
}: {
  /** Of the limit. */
  readonly name: string
  readonly windows: Windows
  readonly redis: RedisConnection | undefined
  readonly clock: Clock
}): Promise<FailureCounter | undefined> {
  if (windows.length === 0) return undefined
  if (redis === undefined) return createMemoryCounter({ windows, clock })
  const { createRedisCounter } = await import('./redis.ts')
  return createRedisCounter({ name, windows, redis })
}
