import type { Clock } from '../../../../kernel/clock.ts'
import { AppError } from '../../../../kernel/errors.ts'
import { addressKey } from '../../../throttle/index.ts'

/** Milliseconds: as long as a challenge lives. */
const WINDOW = 600_000
/** A second, for all that share an address. */
const PER_ADDRESS = 600
const TOTAL = 20_000

/**
 * How many challenges clients that are not signed in may ask for. Each is kept until its time is over: without a limit, any
 * client could fill the database or Redis. It is this process's own count, and holds no more addresses than challenges.
 */
export function createPasskeyBudget(clock: Clock): {
  /** @throws AppError SIGN_IN_LIMITED with `retryAfter` */
  spend(address: string): void
} {
  const spent = new Map<string, number>()
  let total = 0
  let ends = 0
  return {
    spend(address) {
      const now = clock.now()
      // Also when the clock was set back.
      if (now >= ends || ends - now > WINDOW) {
        spent.clear()
        total = 0
        ends = now + WINDOW
      }
      const key = addressKey(address)
      const own = spent.get(key) ?? 0
      if (own >= PER_ADDRESS || total >= TOTAL)
        throw new AppError(
          'SIGN_IN_LIMITED',
          {},
          { retryAfter: Math.max(1, Math.ceil((ends - now) / 1000)) },
        )
      spent.set(key, own + 1)
      total++
    },
  }
}
