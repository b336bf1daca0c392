import type { Clock } from '../../../kernel/clock.ts'
import type { RedisConnection } from '../../../storage/redis/index.ts'
import type { FailureCounter } from '../failure-counter.ts'
import type { Windows } from '../limits.ts'
import { createMemoryCounter } from './memory.ts'

/**
 * Opens the counter that the configuration asks for. Another kind is a file here and a line below.
 * @returns undefined when nothing is limited
 */
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
