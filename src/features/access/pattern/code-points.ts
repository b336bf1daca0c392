/** Sets of characters, as a pattern's classes name them: sorted, disjoint code point ranges, lo, hi, lo, hi, … */
export type Ranges = readonly number[]

export const MAX_CODE_POINT = 0x10ffff
/** What `.` takes without `(?s)`. */
export const NOT_NEWLINE: Ranges = [0, 9, 11, MAX_CODE_POINT]

/** Both cases of every ASCII letter, and the two characters beyond ASCII that fold to one: the Kelvin sign and the long s. */
export function foldAscii(ranges: Ranges): Ranges {
  const all: number[] = [...ranges]
  for (let i = 0; i < ranges.length; i += 2) {
    for (let code = ranges[i] ?? 0; code <= (ranges[i + 1] ?? -1); code++) {
      const lower = code | 0x20
      if (lower < 0x61 || lower > 0x7a) continue
      all.push(lower, lower, lower & ~0x20, lower & ~0x20)
      if (lower === 0x6b) all.push(0x212a, 0x212a)
      if (lower === 0x73) all.push(0x17f, 0x17f)
    }
  }
  return normalise(all)
}

export function normalise(ranges: Ranges): Ranges {
  const pairs: [number, number][] = []
  for (let i = 0; i < ranges.length; i += 2) pairs.push([ranges[i] ?? 0, ranges[i + 1] ?? 0])
  pairs.sort((a, b) => a[0] - b[0])
  const merged: number[] = []
  for (const [low, high] of pairs) {
    const last = merged.at(-1)
    if (last !== undefined && low <= last + 1) merged[merged.length - 1] = Math.max(last, high)
    else merged.push(low, high)
  }
  return merged
}

export function negate(ranges: Ranges): Ranges {
  const rest: number[] = []
  let from = 0
  for (let i = 0; i < ranges.length; i += 2) {
    const low = ranges[i] ?? 0
    if (low > from) rest.push(from, low - 1)
    from = (ranges[i + 1] ?? 0) + 1
  }
  if (from <= MAX_CODE_POINT) rest.push(from, MAX_CODE_POINT)
  return rest
}

/** Whether every character of the others is in the ranges. */
export function covers(ranges: Ranges, others: Ranges): boolean {
  for (let i = 0; i < others.length; i += 2) {
    const [low, high] = [others[i] ?? 0, others[i + 1] ?? 0]
    let held = false
    for (let j = 0; j < ranges.length; j += 2)
      held ||= (ranges[j] ?? 0) <= low && (ranges[j + 1] ?? 0) >= high
    if (!held) return false
  }
  return true
}
