/** Chance that can be had again: the same seed gives the same drill. */
export interface Random {
  /** From 0 up to, not including, 1. */
  next(): number
  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number
  chance(probability: number): boolean
  pick<T>(list: readonly T[]): T
  shuffle<T>(list: readonly T[]): T[]
}

/** mulberry32 (Tommy Ettinger, public domain): 32 bits of state, good enough to choose bytes. */
export function createRandom(seed: number): Random {
  let state = seed >>> 0
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000
  }
  const below = (limit: number): number => Math.floor(next() * limit)
  return {
    next,
    below,
    chance: (probability) => next() < probability,
    pick(list) {
      const index = below(list.length)
      if (index >= list.length) throw new RangeError('nothing to choose from')
      // In range, as the line above has shown: what lies there is of the list's type, undefined included.
      return list[index] as (typeof list)[number]
    },
    shuffle(list) {
      const left = [...list]
      return Array.from(list, () => left.splice(below(left.length), 1)).flat()
    },
  }
}

/** The generator of one item of a drill: any item can be made again without those before it. */
export const randomOf = (seed: number, index: number): Random =>
  createRandom(Math.imul(seed, 0x9e37_79b1) ^ Math.imul(index + 1, 0x85eb_ca6b))
