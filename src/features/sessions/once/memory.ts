import type { EpochMs } from '../../../kernel/clock.ts'
import type { OnceStore } from '../once-store.ts'

/** For one process. */
export function createMemoryOnce(): OnceStore {
  const kept = new Map<string, { readonly sealed: Uint8Array; readonly expiresAt: EpochMs }>()
  return {
    async put(key, sealed, expiresAt, now) {
      // In the order in which they came, which is nearly that in which they are over.
      for (const [other, { expiresAt: end }] of kept) {
        if (end > now) break
        kept.delete(other)
      }
      kept.set(key, { sealed, expiresAt })
    },
    async take(key, now) {
      const found = kept.get(key)
      kept.delete(key)
      return found === undefined || found.expiresAt <= now ? undefined : found.sealed
    },
  }
}
