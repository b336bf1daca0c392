import { detach } from './detach.ts'

/**
 * A bounded Map of anything but undefined: two generations of half the size each. A value that is used moves to the young generation. When the
 * young one is full it becomes the old one, and the previous old one is discarded with all that was not used since.
 *
 * Keys are kept in memory of their own (detach). A hit is one look into a Map, and nothing is allocated ahead. Compared with lru-cache in docs/decisions/060.
 */
export class GenerationalCache<V> {
  readonly #half: number
  #young = new Map<string, V>()
  #old = new Map<string, V>()

  /** @param limit how many values are kept at most; 2 or more */
  constructor(limit: number) {
    this.#half = Math.max(1, limit >> 1)
  }

  get(key: string): V | undefined {
    const value = this.#young.get(key)
    // Not `??`: null is a value.
    return value === undefined ? this.#promote(key) : value
  }

  /** As `get`, but does not count as a use. */
  peek(key: string): V | undefined {
    const value = this.#young.get(key)
    return value === undefined ? this.#old.get(key) : value
  }

  set(key: string, value: V): void {
    if (this.#young.size >= this.#half) {
      this.#old = this.#young
      this.#young = new Map()
    }
    // Also when it moves from the old generation: the text that was looked up may be cut from a request.
    this.#young.set(detach(key), value)
  }

  delete(key: string): void {
    this.#young.delete(key)
    this.#old.delete(key)
  }

  /** Deletes every value that the test accepts. */
  deleteWhere(test: (value: V) => boolean): void {
    for (const generation of [this.#young, this.#old]) {
      for (const [key, value] of generation) if (test(value)) generation.delete(key)
    }
  }

  clear(): void {
    this.#young = new Map()
    this.#old = new Map()
  }

  #promote(key: string): V | undefined {
    const value = this.#old.get(key)
    if (value === undefined) return undefined
    this.#old.delete(key)
    this.set(key, value)
    return value
  }
}
