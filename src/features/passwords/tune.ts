import type { Clock } from '../../kernel/clock.ts'
import type { Argon2Parameters } from './scheme.ts'
import { MAX_ARGON2_WORK } from './schemes/argon2.ts'

export type Argon2Cost = Pick<Argon2Parameters, 'memory' | 'iterations' | 'parallelism'>

export interface TuneOptions {
  /** How long one hash is to take, in milliseconds. */
  readonly target: number
  /** KiB that one hash may take; a whole number of MiB, at most 4 GiB. */
  readonly maxMemory: number
  readonly parallelism: number
  /** Makes one hash. */
  readonly hash: (cost: Argon2Cost) => Promise<unknown>
  readonly clock: Pick<Clock, 'monotonic'>
}

export interface Tuned extends Argon2Cost {
  /** What one hash took with them, in milliseconds: the fastest of those that were timed. */
  readonly took: number
}

const MIB = 1024 // in KiB
/** Large enough to be no measurement of a processor's cache, small enough for any machine. */
const FIRST_MEMORY = 8 * MIB
/** Within a tenth is "about": machines are not steadier than that. */
const CLOSE = 0.1
/** What is far off is approached in steps: the time of a small hash says little about that of a large one. */
const MAX_STEP = 4
/** Each lasts a few times the target at most. */
const MAX_MEASUREMENTS = 12

/**
 * Argon2 parameters with which a hash takes about the target on this machine, with as much memory as may be and, once
 * that is used up, more passes over it: memory is what a guesser has to pay for (RFC 9106 §4).
 */
export async function tune(options: TuneOptions): Promise<Tuned> {
  const { target, maxMemory, parallelism } = options
  const least = Math.ceil((8 * parallelism) / MIB) * MIB
  const most = Math.max(least, maxMemory)
  const inMemory = (value: number) => clamp(Math.round(value / MIB) * MIB, least, most)
  let cost: Argon2Cost = { memory: inMemory(FIRST_MEMORY), iterations: 1, parallelism }
  // Whatever is done for the first time takes longer.
  await options.hash(cost)
  let best: Tuned | undefined
  for (let i = 0; i < MAX_MEASUREMENTS; i++) {
    const took = await time(options, cost)
    if (best === undefined || distance(took, target) < distance(best.took, target))
      best = { ...cost, took }
    const factor = clamp(target / took, 1 / MAX_STEP, MAX_STEP)
    const next = nextCost(cost, factor, inMemory, most)
    if (Math.abs(factor - 1) <= CLOSE || sameCost(next, cost)) break
    cost = next
  }
  // The loop ran at least once.
  return best ?? { ...cost, took: 0 }
}

/** So much costlier or cheaper: in passes while all of the memory is used, else in memory. */
function nextCost(
  cost: Argon2Cost,
  factor: number,
  inMemory: (value: number) => number,
  most: number,
): Argon2Cost {
  const { memory, iterations } = cost
  const work = memory * iterations * factor
  return memory === most && work >= most
    ? {
        ...cost,
        iterations: clamp(
          Math.round(work / most),
          1,
          Math.min(1000, Math.floor(MAX_ARGON2_WORK / most)),
        ),
      }
    : { ...cost, memory: inMemory(work), iterations: 1 }
}

const sameCost = (a: Argon2Cost, b: Argon2Cost): boolean =>
  a.memory === b.memory && a.iterations === b.iterations

const distance = (took: number, target: number): number => Math.abs(Math.log(took / target))

/** The fastest of three, or of as many as fit into the target: what disturbs a measurement makes it longer. */
async function time({ hash, clock, target }: TuneOptions, cost: Argon2Cost): Promise<number> {
  let fastest = Number.POSITIVE_INFINITY
  const began = clock.monotonic()
  for (let i = 0; i < 3; i++) {
    const start = clock.monotonic()
    await hash(cost)
    fastest = Math.min(fastest, clock.monotonic() - start)
    if (clock.monotonic() - began > target) break
  }
  return Math.max(fastest, 0.001)
}

const clamp = (value: number, min: number, max: number): number =>
  Math.min(max, Math.max(min, value))
