import { GenerationalCache } from '../../kernel/generational-cache.ts'

/** About 300 bytes each. Browsers beyond it pay for a hash with each request. */
const LIMIT = 10_000

/**
 * The store keys of cookie values that stand for live sessions, so that a browser's next request costs no SHA-256 (1 µs, a
 * tenth of what a verify costs besides the kernel's work).
 *
 * It says which key a value has and nothing else: whether the session lives is asked every time, so an entry that is out of
 * date lets no request in. Only values that have just been recognised are kept, a flood of made-up ones pushes none out. A
 * value that stands for no live session any more goes when it is used next, or with its generation.
 *
 * What it costs in secrecy: cookies of live sessions lie in memory for longer than their requests. A dump of the memory
 * holds them anyway while they are asked about, and beside them the key that seals all sessions. What is looked up is
 * compared whole after V8's hash, which is seeded anew in each process: the time tells nothing about a value in parts.
 */
export interface KnownValues {
  keyOf(value: string): string | undefined
  keep(value: string, key: string): void
  forget(value: string): void
}

export function createKnownValues(limit = LIMIT): KnownValues {
  const keys = new GenerationalCache<string>(limit)
  return {
    keyOf: (value) => keys.get(value),
    keep: (value, key) => keys.set(value, key),
    forget: (value) => keys.delete(value),
  }
}
