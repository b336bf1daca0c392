import type { EpochMs } from '../../kernel/clock.ts'
import type { CookieDomain, Factor, Started } from '../sessions/index.ts'

/** Browsers that a user has trusted, as another feature knows them. Every call may throw AppError STORE_UNAVAILABLE. */
export interface Trusted {
  /** @param values of the device cookie. @returns what the browser stands for besides the password of this user */
  factorOf(
    user: string,
    domain: CookieDomain,
    values: readonly string[],
  ): Promise<Factor | undefined>
  list(
    user: string,
  ): Promise<readonly { readonly device: { readonly id: string }; readonly until: EpochMs }[]>
}

/**
 * Starts a session with what a trusted browser stands for. Trust that ended while the session began counts for nothing: it is
 * looked at again, and then another session takes the place of this one.
 * @param end of a session whose cookie was not given out
 */
export async function startTrusted(
  trusted: () => Promise<Factor | undefined>,
  start: (factors: readonly Factor[]) => Promise<Started>,
  end: (started: Started) => Promise<void>,
): Promise<Started> {
  const factor = await trusted()
  if (factor === undefined) return start([])
  const started = await start([factor])
  if ((await trusted()) !== undefined) return started
  await end(started)
  return start([])
}
