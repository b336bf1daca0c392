import type { Windows } from './limits.ts'

/**
 * How long until one more would be within every window, in milliseconds; 0: it is now.
 *
 * Exact and not in steps: a window is any span of its length, so no client gets twice its count around a border.
 * @param stamps when each counted one was, ascending
 */
export function waitFor(windows: Windows, stamps: readonly number[], now: number): number {
  let wait = 0
  for (const { count, period } of windows) {
    // The one that has to be out of the window before another fits.
    const oldest = stamps[stamps.length - count]
    if (oldest !== undefined) wait = Math.max(wait, oldest + period - now)
  }
  return wait
}

/** How long a stamp counts for. */
export const longest = (windows: Windows): number =>
  windows.reduce((most, { period }) => Math.max(most, period), 0)
