import { randomInt } from 'node:crypto'
import type { Socket } from 'node:net'
import type { Clock } from '../../kernel/clock.ts'

/** Measure 3, all in milliseconds. */
const SLOTS = 10
const FIRST_MEAN = 1000
const FLOOR = 250
const JITTER = 85

/**
 * How long an answer that depended on a name or a password is held back: as long as a success has taken of late, so that
 * neither a shorter way through the code nor a cheaper digest shows.
 */
export interface Delay {
  /** @param work of a success, in milliseconds, without the time that it was held back */
  succeeded(work: number): void
  /** When an answer may leave, in milliseconds after its turn has come, at once or from a queue. Another jitter each time. */
  span(): Promise<number>
  /**
   * Waits until then. Holds nothing but a timer, and that no longer than the client is there.
   * @param began when its arrival, or its turn, was; by the monotonic clock
   */
  hold(began: number, socket: Socket): Promise<void>
}

export function createDelay({
  clock,
  dearest,
  random = fraction,
}: {
  readonly clock: Clock
  /** What a check of the dearest password digest takes, in milliseconds. */
  readonly dearest: () => number | Promise<number>
  /** Unpredictable, in [0, 1). */
  readonly random?: () => number
}): Delay {
  const slots = new Array<number>(SLOTS).fill(FIRST_MEAN)
  let next = 0
  const mean = (): number => slots.reduce((sum, slot) => sum + slot, 0) / SLOTS
  const span = async (): Promise<number> =>
    Math.max(mean(), FLOOR, await dearest()) + random() * JITTER

  return {
    succeeded(work) {
      slots[next] = work
      next = (next + 1) % SLOTS
    },
    span,
    async hold(began, socket) {
      const until = began + (await span())
      // A timer may be early by a part of a millisecond.
      for (;;) {
        const rest = until - clock.monotonic()
        if (rest <= 0 || socket.destroyed) return
        await pause(Math.ceil(rest), socket)
      }
    },
  }
}

/** 48 bits are what randomInt takes. */
const fraction = (): number => randomInt(2 ** 47) / 2 ** 47

function pause(ms: number, socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer)
      socket.off('close', done)
      resolve()
    }
    const timer = setTimeout(done, ms)
    socket.once('close', done)
  })
}
