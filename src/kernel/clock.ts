declare const brand: unique symbol
/** Milliseconds since the epoch, UTC. */
export type EpochMs = number & { readonly [brand]: 'EpochMs' }

/** Time as an argument: code that needs it is handed one of these. */
export interface Clock {
  /** Wall time: for records that outlive the process. May jump. */
  now(): EpochMs
  /** Milliseconds on a clock that never jumps: for measuring how long something took. */
  monotonic(): number
}

export const systemClock: Clock = {
  now: () => Date.now() as EpochMs,
  monotonic: () => performance.now(),
}
