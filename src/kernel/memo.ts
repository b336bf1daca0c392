import { detach } from './detach.ts'

/**
 * Remembers what a pure function answered for a text, for a bounded number of texts: two generations of half the size
 * each, so that a flood of new texts (hosts, addresses: an attacker's to choose) costs one recomputation each and never
 * more memory. Cheaper per hit than a list-keeping LRU.
 *
 * @param limit how many answers are kept at the most
 * @param maxKey longer texts are computed each time and not kept
 */
export function memoize<V>(
  compute: (text: string) => V,
  { limit = 10_000, maxKey = 512 }: { readonly limit?: number; readonly maxKey?: number } = {},
): (text: string) => V {
  const half = Math.max(1, limit >> 1)
  let young = new Map<string, V>()
  let old = new Map<string, V>()
  return (text) => {
    const kept = young.get(text)
    if (kept !== undefined) return kept
    if (text.length > maxKey) return compute(text)
    const value = old.get(text) ?? compute(text)
    if (young.size >= half) {
      old = young
      young = new Map()
    }
    young.set(detach(text), value)
    return value
  }
}
