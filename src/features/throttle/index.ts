/**
 * Throttle: what a wrong password costs.
 *
 * Owns the delay of answers that depend on a name or a password (delay.ts, its Fastify plugin in delay-plugin.ts) and the
 * limit on failures (limits.ts, windows.ts, counters/). Does not own whose password something is (users), how much of the
 * machine hashing may take (passwords), or what is answered (login, verify).
 *
 * Data path of an attempt: at its limit? 429 → its turn to be hashed → counted → checked → given back if it was right →
 * held back until nothing can be read from the time it took.
 */
import type { Clock } from '../../kernel/clock.ts'
import type { Passwords } from '../passwords/index.ts'
import type { Guard, Users } from '../users/index.ts'
import { guardAttempt } from './attempt.ts'
import { createMemoryCounter } from './counters/index.ts'
import { createDearest } from './dearest.ts'
import { createDelay, type Delay } from './delay.ts'
import { createFailureLimit } from './failure-limit.ts'
import type { Windows } from './limits.ts'
import { clientKey } from './subject.ts'

export type { Delay } from './delay.ts'
export { delayPlugin } from './delay-plugin.ts'

export interface Throttle {
  /** Of everything that looks at passwords: one mean for all of it. */
  readonly delay: Delay
  /**
   * The guard of one attempt to sign in, for `users.authenticate`.
   * @throws AppError SIGN_IN_LIMITED at once when nothing but waiting helps; STORE_UNAVAILABLE
   */
  attempt(who: { readonly address: string }): Promise<Guard>
  /** Whole seconds, at least one, until a failure of this address would not be one too many. */
  retryAfter(address: string): Promise<number>
}

export function createThrottle({
  limits,
  users,
  passwords,
  clock,
}: {
  /** `failed_login_rate_limit` */
  readonly limits: Windows
  readonly users: Pick<Users, 'dearest'>
  readonly passwords: Pick<Passwords, 'measure'>
  readonly clock: Clock
}): Throttle {
  const counter = limits.length === 0 ? undefined : createMemoryCounter({ windows: limits, clock })
  const limit = createFailureLimit(counter)
  return {
    delay: createDelay({ clock, dearest: createDearest({ users, passwords }) }),
    attempt: ({ address }) => guardAttempt(address, { limit }),
    retryAfter: (address) => limit.retryAfter(clientKey(address)),
  }
}
