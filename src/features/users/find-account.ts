import type { Clock } from '../../kernel/clock.ts'
import { isExpired, type Profile, type UserBackend } from './backend.ts'

/** Who a login belongs to, for what needs no password. */
export interface FoundAccount {
  readonly profile: Profile
  /** Or the account is over. */
  readonly disabled: boolean
  /** The backend that has the user takes new passwords. */
  readonly takesPasswords: boolean
}

/** A remote backend has so long to answer. Milliseconds. */
const ANSWER_WITHIN = 10_000

/**
 * By what was typed at sign-in, disabled or not. Of several backends the first that has the user counts.
 * @throws AppError STORE_UNAVAILABLE
 */
export const createFindAccount =
  (backends: readonly UserBackend[], clock: Clock) =>
  async (login: string): Promise<FoundAccount | undefined> => {
    for (const backend of backends) {
      const account = await backend.byLogin(login, AbortSignal.timeout(ANSWER_WITHIN))
      if (account === undefined) continue
      const { profile } = account
      const disabled = account.disabled || isExpired(profile, clock.now())
      return { profile, disabled, takesPasswords: backend.writing !== undefined }
    }
    return undefined
  }
