export type Taken =
  /** Counted; `receipt` takes it back. */
  | { readonly ok: true; readonly receipt: string }
  /** Counted in no window at all. `wait`: milliseconds until one fits again. */
  | { readonly ok: false; readonly wait: number }

/** Counts what failed, by key, within windows that all hold at once. Every call is atomic, on all instances. */
export interface FailureCounter {
  /** @param key bounded text; @throws AppError STORE_UNAVAILABLE */
  take(key: string): Promise<Taken>
  /** Once a receipt. @throws AppError STORE_UNAVAILABLE */
  giveBack(key: string, receipt: string): Promise<void>
  /** Milliseconds until one fits; 0: now. Counts nothing. @throws AppError STORE_UNAVAILABLE */
  wait(key: string): Promise<number>
}
