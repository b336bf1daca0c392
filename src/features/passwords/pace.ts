import type { Clock } from '../../kernel/clock.ts'

/**
 * How long a check occupies its place in the pool: as long as one of the costliest digest would at the moment, whatever
 * digest it is of. When the next attempt on the same name begins, and the next one at all, then tells nothing about the
 * digest that was checked, nor whether there is a user.
 */
export interface Pace {
  /**
   * The digests that cost most are of this kind now, and a check of one took so long. What was learnt of other kinds is
   * forgotten: there may be none of them any more.
   * @param took milliseconds
   */
  costliest(kind: string, took: number): void
  /**
   * A check is over.
   * @param check milliseconds of the hash itself
   * @param around milliseconds of what was asked and written before and after it
   */
  observe(kind: string, check: number, around: number): void
  /** Milliseconds. 0 until the costliest kind is known. */
  span(): number
  /**
   * A check begins. For how long it has its place is decided now, so that what it takes itself makes no difference.
   * @returns waits until it may give its place up
   */
  begin(): () => Promise<void>
}

/** More kinds of digests are in no user store; the rest would be taken to cost no more than these. */
const MAX_KINDS = 256
/** RFC 6298 §2: how much a new sample counts in the mean, and in the mean deviation. */
const ALPHA = 1 / 8
const BETA = 1 / 4
/** Deviations above the mean: about one check in twenty takes longer. */
const DEVIATIONS = 2
/**
 * Milliseconds by which a thread may begin late, however little it has to do: what is added to a check and to its quickest
 * before they are compared, so that checks of a millisecond do not say that the machine is ten times slower.
 */
const GRAIN = 25
/** A machine that is so much slower than at its best is in trouble: its sign-ins need not wait for more. */
const MOST_SLOWDOWN = 8

export function createPace(clock: Clock): Pace {
  /** The quickest check of each kind: what it costs when the machine does nothing else. */
  const best = new Map<string, number>()
  /** How much longer checks take at the moment, of every kind: a factor. */
  const slowdown = createEstimate(1)
  const around = createEstimate(0)
  let isKnown = false

  const note = (kind: string, took: number): number => {
    const quickest = Math.min(best.get(kind) ?? Number.POSITIVE_INFINITY, took)
    if (best.size < MAX_KINDS || best.has(kind)) best.set(kind, quickest)
    return quickest
  }
  const span = (): number => {
    if (!isKnown) return 0
    const factor = Math.min(MOST_SLOWDOWN, slowdown.upper())
    return (Math.max(...best.values()) + GRAIN) * factor - GRAIN + around.upper()
  }

  return {
    costliest(kind, took) {
      isKnown = true
      best.clear()
      note(kind, took)
    },
    observe(kind, check, rest) {
      const quickest = note(kind, check)
      // A busy machine runs what is short at once, and lets what is long wait: a cheap check says little of a costly one.
      slowdown.observe((check + GRAIN) / (quickest + GRAIN), quickest / Math.max(...best.values()))
      around.observe(rest)
    },
    span,
    begin() {
      const until = clock.monotonic() + span()
      return async () => {
        // A timer may be early by a part of a millisecond.
        for (let left = until - clock.monotonic(); left > 0; left = until - clock.monotonic())
          await new Promise((resolve) => setTimeout(resolve, Math.ceil(left)))
      }
    },
  }
}

/** A mean and a mean deviation that follow what is observed. RFC 6298 §2. */
function createEstimate(first: number) {
  let mean = first
  let deviation = 0
  return {
    /** @param weight how much it says, up to 1 */
    observe(sample: number, weight = 1): void {
      deviation += weight * BETA * (Math.abs(sample - mean) - deviation)
      mean += weight * ALPHA * (sample - mean)
    },
    upper: (): number => mean + DEVIATIONS * deviation,
  }
}
