import { GenerationalCache } from './generational-cache.ts'

/**
 * Remembers what a pure function answered for a text, for a bounded number of texts. A flood of new texts (hosts,
 * addresses: an attacker's to choose) costs one recomputation each and never more memory.
 *
 * @param compute its answers are never undefined
 * @param limit how many answers are kept at the most
 * @param maxKey longer texts are computed each time and not kept
 */
export function memoize<V>(
  compute: (text: string) => V,
  { limit = 10_000, maxKey = 512 }: { readonly limit?: number; readonly maxKey?: number } = {},
): (text: string) => V {
  const answers = new GenerationalCache<V>(limit)
  return (text) => {
    const kept = answers.get(text)
    if (kept !== undefined) return kept
    const value = compute(text)
    if (text.length <= maxKey) answers.set(text, value)
    return value
  }
}
