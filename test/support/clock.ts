import type { Clock, EpochMs } from '../../src/kernel/clock.ts'

/** Time that moves only when a test says so. */
export class FakeClock implements Clock {
  #now: number
  #monotonic = 0

  constructor(start = Date.UTC(2026, 0, 15, 12)) {
    this.#now = start
  }

  now(): EpochMs {
    // The brand exists in types only.
    return this.#now as EpochMs
  }

  monotonic(): number {
    return this.#monotonic
  }

  advance(ms: number): void {
    this.#now += ms
    this.#monotonic += ms
  }

  /** Something waited: the time of day stays what the test made it. */
  pass(ms: number): void {
    this.#monotonic += ms
  }
}
