/**
 * Where small things are kept for a short while, to be taken once. A new one is a file in once/, a line in its index and a run
 * of test/conformance/once-store.ts.
 */
import type { EpochMs } from '../../kernel/clock.ts'

/**
 * Any call may reject with any error when the store fails; the caller gives nothing away then. Every call ends.
 *
 * Values are sealed by the caller: what a store was talked into must not open. They may be a few hundred bytes.
 */
export interface OnceStore {
  /** @param key says nothing: a hash, base64url */
  put(key: string, sealed: Uint8Array, expiresAt: EpochMs, now: EpochMs): Promise<void>
  /**
   * Takes it out: of any number of calls at once, on any number of instances, one gets it.
   * @returns undefined when it is not there, or past its time
   */
  take(key: string, now: EpochMs): Promise<Uint8Array | undefined>
}
