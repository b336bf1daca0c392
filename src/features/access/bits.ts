/** Sets of numbers below a known one, a bit each: which of a host's rules have something in common. */
export type Bits = Int32Array

export const bitsFor = (count: number): Bits => new Int32Array((count + 31) >>> 5)

export function addBit(bits: Bits, index: number): void {
  bits[index >>> 5] = (bits[index >>> 5] ?? 0) | (1 << (index & 31))
}

/** Takes out of a set what is not in the other one. */
export function keepBits(bits: Bits, others: Bits): void {
  for (let w = 0; w < bits.length; w++) bits[w] = (bits[w] ?? 0) & (others[w] ?? 0)
}

/** The first word at or behind a place in which two sets have something in common; behind the last when none is. */
export function nextCommon(bits: Bits, others: Bits, from: number): number {
  let w = from
  while (w < bits.length && ((bits[w] ?? 0) & (others[w] ?? 0)) === 0) w++
  return w
}

/** What a value stands for among the rules: a list while it is short, else bits. Adding it to a set is never dear. */
export class Postings {
  readonly #count: number
  #list: number[] | undefined = []
  #bits: Bits | undefined

  /** @param count every number is below it */
  constructor(count: number) {
    this.#count = count
  }

  /** In order; the same twice in a row counts once. */
  add(index: number): void {
    if (this.#bits !== undefined) addBit(this.#bits, index)
    else if (this.#list !== undefined && this.#list.at(-1) !== index) {
      this.#list.push(index)
      if (this.#list.length <= this.#count >>> 5) return
      this.#bits = bitsFor(this.#count)
      for (const one of this.#list) addBit(this.#bits, one)
      this.#list = undefined
    }
  }

  addTo(bits: Bits): void {
    if (this.#list !== undefined) for (const index of this.#list) addBit(bits, index)
    else if (this.#bits !== undefined)
      for (let w = 0; w < bits.length; w++) bits[w] = (bits[w] ?? 0) | (this.#bits[w] ?? 0)
  }
}

/** The postings of a key; new ones when it has none yet. */
export function postingsOf<K>(map: Map<K, Postings>, key: K, count: number): Postings {
  const known = map.get(key)
  if (known !== undefined) return known
  const postings = new Postings(count)
  map.set(key, postings)
  return postings
}
