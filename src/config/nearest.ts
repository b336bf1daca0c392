import { distance } from 'fastest-levenshtein'

/** Longer names are not compared: they are no typing errors. */
const MAX_LENGTH = 200

/**
 * The candidate that a slip of the finger turns into the name: at most a third of its letters apart, and never more
 * than five; two neighbours changed places count as one slip. `-`, `_` and case do not count.
 * @returns undefined when none is near; of equals the first
 */
export function nearest(name: string, candidates: Iterable<string>): string | undefined {
  if (name.length > MAX_LENGTH) return undefined
  const wanted = fold(name)
  let best: string | undefined
  let least = Math.min(5, Math.max(1, Math.floor(wanted.length / 3))) + 0.5
  for (const candidate of candidates) {
    const other = fold(candidate)
    if (Math.abs(other.length - wanted.length) > least) continue
    const apart = swapped(wanted, other) ? 1 : distance(wanted, other)
    if (apart < least) {
      best = candidate
      least = apart
    }
  }
  return best
}

const fold = (text: string): string => text.toLowerCase().replaceAll('-', '_')

/** Whether exactly two neighbouring letters changed places: Damerau's slip, which Levenshtein counts twice. */
function swapped(a: string, b: string): boolean {
  if (a.length !== b.length) return false
  let i = 0
  while (i < a.length && a[i] === b[i]) i++
  return (
    i + 1 < a.length && a[i] === b[i + 1] && a[i + 1] === b[i] && a.slice(i + 2) === b.slice(i + 2)
  )
}
