/**
 * What new passwords must be like. One policy for every way in which a password is set: what it approves is an
 * `ApprovedPassword`, and nothing else is taken for a user.
 */
import { AppError } from '../../../kernel/errors.ts'
import { type ApprovedPassword, approve, approveUnchecked } from '../approved.ts'
import { isBreached } from './breached.ts'
import type { PolicyConfig } from './config.ts'
import { createGuesses } from './guesses.ts'
import {
  isOwnName,
  ownNames,
  type Person,
  POLICY_FAULTS,
  type PolicyFault,
  standardFaults,
} from './rules.ts'

export { type Person, POLICY_FAULTS, type PolicyFault } from './rules.ts'

export interface Strength {
  /** 0 (guessed at once) to 4. */
  readonly score: number
  /** Empty: the policy approves of it. */
  readonly faults: readonly PolicyFault[]
}

export interface PasswordPolicy {
  /** Some rule is configured. Without one, every password is approved of, and nothing is opened. */
  readonly isOn: boolean
  readonly config: PolicyConfig
  /**
   * @throws AppError PASSWORD_WEAK (`details.faults`); HASHING_BUSY; STORE_UNAVAILABLE when a list cannot be read: a password
   *   that could not be checked is not approved of
   */
  approve(password: string, person: Person): Promise<ApprovedPassword>
  /** What is shown while a password is typed. @throws as `approve`, but for PASSWORD_WEAK */
  strength(password: string, person: Person): Promise<Strength>
  close(): Promise<void>
}

/** @param resolve makes paths absolute */
export function createPasswordPolicy(
  config: PolicyConfig,
  resolve: (path: string) => string,
): PasswordPolicy {
  const { standard, zxcvbn } = config
  const breachedFile = config.breached_file && resolve(config.breached_file)
  const commonFile = config.common_file && resolve(config.common_file)
  const isOn =
    standard.enabled || zxcvbn.enabled || breachedFile !== undefined || commonFile !== undefined
  const guesses = createGuesses()

  async function look(password: string, person: Person, wantsScore: boolean): Promise<Strength> {
    const names = ownNames(person)
    const asks = wantsScore || commonFile !== undefined
    const [breached, guess] = await Promise.all([
      breachedFile !== undefined &&
        unlessUnreadable(breachedFile, isBreached(breachedFile, password)),
      asks
        ? unlessUnreadable(
            commonFile ?? '',
            guesses.ask({ password, names, commonFile, wantsScore }),
          )
        : undefined,
    ])
    const score = guess?.score ?? 0
    const found = new Set<PolicyFault>(standardFaults(password, standard))
    if (isOwnName(password, names)) found.add('own_name')
    if (guess?.common === true) found.add('common')
    if (breached) found.add('breached')
    if (zxcvbn.enabled && score < zxcvbn.min_score) found.add('guessable')
    return { score, faults: POLICY_FAULTS.filter((fault) => found.has(fault)) }
  }

  return {
    isOn,
    config,
    async approve(password, person) {
      if (!isOn) return approve(password)
      const { faults } = await look(password, person, zxcvbn.enabled)
      if (faults.length > 0) throw new AppError('PASSWORD_WEAK', { faults })
      return approve(password)
    },
    async strength(password, person) {
      return isOn ? look(password, person, true) : { score: 0, faults: [] }
    },
    close: () => guesses.close(),
  }
}

/** @throws AppError STORE_UNAVAILABLE */
async function unlessUnreadable<T>(file: string, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof AppError) throw error
    throw new AppError('STORE_UNAVAILABLE', { reason: 'password_policy', file }, { cause: error })
  }
}

/** Asks the policy, unless the operator wants to pass it by. @param isForced the operator wants this password, whatever the policy says */
export const approveOrForce =
  (policy: Pick<PasswordPolicy, 'approve'>) =>
  async (password: string, person: Person, isForced: boolean): Promise<ApprovedPassword> =>
    isForced ? approveUnchecked(password, 'forced') : policy.approve(password, person)
