import { AppError } from '../../kernel/errors.ts'
import type { FailureCounter } from './failure-counter.ts'

/** A limit on failures, by a key of the caller's: first factors, resets, codes each have their own. */
export interface FailureLimit {
  /** Nothing is limited. */
  readonly isOff: boolean
  /**
   * For a quick no. Counts nothing, and lets pass what only an attempt under way stands in front of: that one may be given
   * back.
   * @throws AppError SIGN_IN_LIMITED when the key is at its limit; STORE_UNAVAILABLE
   */
  refuseFull(key: string): Promise<void>
  /**
   * Counts a failure before it is known to be one.
   * @returns to be told once what it was: a success is given back
   * @throws AppError SIGN_IN_LIMITED, and then nothing was counted; STORE_UNAVAILABLE
   */
  take(key: string): Promise<(right: boolean) => Promise<void>>
  /** Whole seconds, at least one, until a failure of this key would fit again. */
  retryAfter(key: string): Promise<number>
}

/** @param counter undefined: no limit */
export function createFailureLimit(counter: FailureCounter | undefined): FailureLimit {
  if (counter === undefined) {
    return {
      isOff: true,
      refuseFull: async () => {},
      take: async () => async () => {},
      retryAfter: async () => 1,
    }
  }
  /** How many are taken and may still be given back, by key. */
  const underWay = new Map<string, number>()
  const note = (key: string, change: 1 | -1): void => {
    const count = (underWay.get(key) ?? 0) + change
    if (count > 0) underWay.set(key, count)
    else underWay.delete(key)
  }
  return {
    isOff: false,
    async refuseFull(key) {
      if (underWay.has(key)) return
      const wait = await counter.wait(key)
      if (wait > 0) throw limited(wait)
    },
    async take(key) {
      const taken = await counter.take(key)
      if (!taken.ok) throw limited(taken.wait)
      note(key, 1)
      return async (right) => {
        note(key, -1)
        if (right) await counter.giveBack(key, taken.receipt)
      }
    },
    retryAfter: async (key) => seconds(await counter.wait(key)),
  }
}

const limited = (wait: number): AppError =>
  new AppError('SIGN_IN_LIMITED', {}, { retryAfter: seconds(wait) })

const seconds = (ms: number): number => Math.max(1, Math.ceil(ms / 1000))
