import type { Clock } from '../../../kernel/clock.ts'
import type { RedisConnection } from '../../../storage/redis/index.ts'
import type { Windows } from '../limits.ts'
import { type Reservations, termsOf } from '../reservation.ts'
import { createMemoryReservations } from './memory.ts'

const NONE: Reservations = {
  isDue: async () => false,
  use: async () => false,
  reserve: async () => undefined,
}

/** Opens the reservations that the configuration asks for. Another kind is a file here and a line below. */
export async function openReservations({
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
}): Promise<Reservations> {
  if (windows.length === 0) return NONE
  const terms = termsOf(windows)
  if (redis === undefined) return createMemoryReservations({ terms, clock })
  const { createRedisReservations } = await import('./redis.ts')
  return createRedisReservations({ name, terms, redis })
}
