import { setTimeout as delay } from 'node:timers/promises'
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { CheckHooks, Passwords, Place, Verifier } from '../passwords/index.ts'
import { type Account, type Found, isExpired, type Profile, type UserBackend } from './backend.ts'
import { isSamePassword } from './password-marks.ts'
import type { Rehash } from './rehash.ts'
import { mailKey } from './spellings.ts'

export type Authentication =
  | { readonly kind: 'accepted'; readonly profile: Profile }
  | {
      readonly kind: 'refused'
      /** The canonical name of a known user, disabled or not; else ''. Never what was typed. */
      readonly name: string
      readonly reason: 'unknown' | 'disabled' | 'password'
    }

/**
 * Limits attempts. Asked once an attempt, when its slot to be checked has come and before its password is looked at;
 * attempts on one name are checked one after another, so that what it answers is still true when the check is over.
 */
export interface AttemptLimiter {
  /**
   * What the attempt must not run beside, and whether a slot is reserved for it.
   * @param name the canonical name of a known user, disabled or not; else ''
   * @param spelling one for all ways to write the name, also of a user that does not exist: both must wait alike
   */
  place(name: string, spelling: string): Place
  /**
   * @param name the canonical name of a known user, disabled or not; else ''
   * @returns false: the work is done all the same, and the attempt is refused as by a wrong password
   * @throws AppError: the attempt ends with it, unchecked
   */
  admit(name: string): Promise<boolean>
  /** What came of it; not called when it ended with an error. @throws AppError: the attempt ends with it */
  settle(right: boolean): Promise<void>
}

/**
 * Checks a login and a password: the same way, in the same time and under the same limits whatever the backend, and
 * whether there is such a user or not.
 * @param client the client's address, by which hashing is shared out
 * @throws AppError HASHING_BUSY, STORE_UNAVAILABLE; what the limiter throws
 */
export type Authenticate = (
  login: string,
  password: string,
  client: string,
  limiter?: AttemptLimiter,
) => Promise<Authentication>

/** Milliseconds that a backend may take to find a user or to check a password. */
const ANSWER_WITHIN = 5000

export function createAuthenticate({
  backends,
  lookUp,
  passwords,
  rehash,
  clock,
  answerWithin = ANSWER_WITHIN,
}: {
  /** In order. */
  readonly backends: readonly UserBackend[]
  /** By canonical name, as it is in force now. */
  readonly lookUp: (name: string) => Promise<Found | undefined>
  readonly passwords: Pick<Passwords, 'verify' | 'burn'>
  readonly rehash: Pick<Rehash, 'offer'> | undefined
  readonly clock: Clock
  readonly answerWithin?: number | undefined
}): Authenticate {
  /** Asks all backends at the same time: how long it takes does not tell which of them has the user. */
  async function find(login: string): Promise<Found | undefined> {
    const answers = await Promise.allSettled(
      backends.map(async (backend) => {
        const answer = within(answerWithin, (signal) => backend.byLogin(login, signal))
        const account = answer instanceof Promise ? await answer : answer
        return account && { backend, account }
      }),
    )
    for (const answer of answers) {
      // A backend that does not answer may have the user: no later one stands in for it.
      if (answer.status === 'rejected') throw answer.reason
      if (answer.value !== undefined) return answer.value
    }
    return undefined
  }

  const verifierOf = ({ backend, account }: Found): Verifier =>
    account.kind === 'digest'
      ? account.digest
      : {
          scheme: 'bind',
          variant: backend.name,
          weight: 0,
          matches: async (password) =>
            within(answerWithin, (signal) => account.bind(password, signal)),
        }

  const isEnabled = ({ disabled, profile }: Account): boolean =>
    !disabled && !isExpired(profile, clock.now())

  return async (login, password, client, limiter) => {
    const found = await find(login)
    const usable = found !== undefined && isEnabled(found.account) ? found : undefined
    const name = found?.account.profile.name ?? ''
    const hooks = limiter && hooksOf(limiter, name, found === undefined ? login : name)
    let matches = false
    if (usable !== undefined)
      matches = await passwords.verify(verifierOf(usable), password, client, hooks)
    else await passwords.burn(password, client, hooks)
    if (found === undefined) return { kind: 'refused', name: '', reason: 'unknown' }
    // The check takes a while; what was changed meanwhile is in force.
    const now = await lookUp(name)
    if (now === undefined) return { kind: 'refused', name: '', reason: 'unknown' }
    if (usable === undefined || !isEnabled(now.account))
      return { kind: 'refused', name, reason: 'disabled' }
    if (!matches || !isSameCredential(usable, now))
      return { kind: 'refused', name, reason: 'password' }
    rehash?.offer(usable, password)
    return { kind: 'accepted', profile: now.account.profile }
  }
}

const hooksOf = (limiter: AttemptLimiter, name: string, typed: string): CheckHooks => ({
  ...limiter.place(name, mailKey(typed)),
  admit: () => limiter.admit(name),
  settle: (right) => limiter.settle(right),
})

/** Whether a password that was right for the first would be for the second, which is in force now. */
function isSameCredential(was: Found, now: Found): boolean {
  if (was.backend !== now.backend) return false
  if (was.account.kind === 'digest')
    return now.account.kind === 'digest' && isSamePassword(was.account, now.account)
  return now.account.kind === 'bind'
}

/** @throws AppError STORE_UNAVAILABLE when there is no answer in so many milliseconds */
function within<T>(ms: number, ask: (signal: AbortSignal) => T | Promise<T>): T | Promise<T> {
  const over = new AbortController()
  const answer = ask(over.signal)
  if (!(answer instanceof Promise)) return answer
  const answered = new AbortController()
  const late = delay(ms, undefined, { signal: answered.signal }).then(() => {
    over.abort()
    throw new AppError('STORE_UNAVAILABLE', {
      reason: `the user backend did not answer in ${ms} ms`,
    })
  })
  // Once there is an answer, the timer is stopped and its end is of no interest.
  late.catch(() => {})
  return Promise.race([answer, late]).finally(() => answered.abort())
}
