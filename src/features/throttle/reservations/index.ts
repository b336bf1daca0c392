/** Where reservations are kept. Another place is a file here and a line in `openReservations`. */
import type { Clock } from '../../../kernel/clock.ts'
import type { RedisConnection } from '../../../storage/redis/index.ts'
import type { Windows } from '../limits.ts'
import { createMemoryReservations } from './memory.ts'

/** A browser's right to one attempt at a time to come. */
export interface Reservation {
  /** 128 random bits in base64url. Held by one browser; not to be logged. */
  readonly id: string
  /** Milliseconds until it counts. */
  readonly wait: number
}

/**
 * Promises that the limit on failures keeps: a browser that was told how long to wait gets one attempt when it has waited,
 * although others have filled the limit of its address again. What was promised is on top of the limit, and bounded by
 * address. Every call is atomic, on all instances that share the store.
 *
 * `held` are well-formed ids that a browser has sent; they count at the address that they were made for and at no other.
 */
export interface Reservations {
  /** @throws AppError STORE_UNAVAILABLE */
  isDue(address: string, held: readonly string[]): Promise<boolean>
  /** Uses one up that is due. @returns whether there was one; @throws AppError STORE_UNAVAILABLE */
  use(address: string, held: readonly string[]): Promise<boolean>
  /**
   * @param wait milliseconds until the limit has room again
   * @returns the one that is held already, else a new one, no earlier than all others of the address; undefined when the
   *   browser has used one up of late, or too many wait
   * @throws AppError STORE_UNAVAILABLE
   */
  reserve(address: string, held: readonly string[], wait: number): Promise<Reservation | undefined>
}

/** How many there are, for a limit. */
export interface ReservationTerms {
  /** At most so many fall due, and are used, within any span of the longest window. */
  readonly count: number
  /** Milliseconds that one may be used for after it is due. */
  readonly life: number
  /** Milliseconds between one and the next but `count`; how long each is remembered. */
  readonly spacing: number
}

const MINUTE = 60_000
/** Of what the longest window allows, a quarter on top: in an hour, five new browsers of one home. */
const PART = 1 / 4

/** @param windows at least one */
export function termsOf(windows: Windows): ReservationTerms {
  const [longest] = windows.toSorted((a, b) => b.period - a.period || a.count - b.count)
  const { count = 1, period = MINUTE } = longest ?? {}
  const life = Math.min(10 * MINUTE, Math.max(MINUTE, period))
  // Also when one is used at the end of its life and the others at once, no window holds more than `count`.
  return { count: Math.max(1, Math.floor(count * PART)), life, spacing: period + life }
}

const NONE: Reservations = {
  isDue: async () => false,
  use: async () => false,
  reserve: async () => undefined,
}

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
