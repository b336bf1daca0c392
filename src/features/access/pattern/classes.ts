import type { Ranges } from './code-points.ts'
import type { CharStep } from './program.ts'

/** The characters that a pattern tells apart, as numbered classes. */
export interface Classes {
  readonly count: number
  readonly ascii: Uint8Array | Uint16Array
  /** The class of any code point. */
  of(code: number): number
  /** Every class that lies in the ranges. */
  within(ranges: Ranges): readonly number[]
}

export function buildClasses(characters: readonly CharStep[]): Classes {
  const bounds = new Set<number>()
  for (const { ranges } of characters) {
    for (let i = 0; i < ranges.length; i += 2) {
      bounds.add(ranges[i] ?? 0)
      bounds.add((ranges[i + 1] ?? 0) + 1)
    }
  }
  bounds.delete(0)
  const starts = Int32Array.from(bounds).sort()
  const of = (code: number): number => {
    let [low, high] = [0, starts.length]
    while (low < high) {
      const middle = (low + high) >> 1
      if ((starts[middle] ?? 0) <= code) low = middle + 1
      else high = middle
    }
    return low
  }
  // At most two bounds a position, 512 positions: more classes than a byte holds
  const ascii = starts.length < 256 ? new Uint8Array(128) : new Uint16Array(128)
  for (let code = 0; code < 128; code++) ascii[code] = of(code)
  return {
    count: starts.length + 1,
    ascii,
    of,
    within(ranges) {
      const found: number[] = []
      for (let i = 0; i < ranges.length; i += 2) {
        const last = of(ranges[i + 1] ?? 0)
        for (let index = of(ranges[i] ?? 0); index <= last; index++) found.push(index)
      }
      return found
    },
  }
}
