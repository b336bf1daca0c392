import { parseArgs } from 'node:util'

export interface DrillOptions {
  /** A whole number; the same one gives the same drill. */
  readonly seed: number
  readonly size: number
  /** The part of a drill that is to be run; the whole when undefined. */
  readonly only: string | undefined
}

/** @throws RangeError for what is no whole number */
export function readOptions(defaultSize: number): DrillOptions {
  const { values } = parseArgs({
    options: { seed: { type: 'string' }, size: { type: 'string' }, only: { type: 'string' } },
  })
  return toOptions(values, defaultSize)
}

/** @throws RangeError for what is no whole number */
export function toOptions(
  values: {
    readonly seed?: string | undefined
    readonly size?: string | undefined
    readonly only?: string | undefined
  },
  defaultSize: number,
): DrillOptions {
  const seed = Number(values.seed ?? Date.now() % 1_000_000)
  const size = Number(values.size ?? defaultSize)
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(size) || size < 1)
    throw new RangeError('--seed and --size take whole numbers')
  return { seed, size, only: values.only }
}

/** What a drill opens, closed newest first when it ends. */
export interface Cleanup {
  after(one: () => unknown): void
  run(): Promise<void>
}

export function createCleanup(): Cleanup {
  const work: (() => unknown)[] = []
  return {
    after(one) {
      work.unshift(one)
    },
    async run() {
      for (const one of work.splice(0)) await one()
    },
  }
}
