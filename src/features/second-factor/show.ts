import { AppError } from '../../kernel/errors.ts'
import { contextOf, ownerOf } from '../portal/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import type { SecondFactor, Show } from './method.ts'
import type { Report } from './report.ts'

export interface ShowDependencies {
  readonly factors: Pick<
    SecondFactor,
    'attempt' | 'isOn' | 'pass' | 'totp' | 'recoveryCodes' | 'mailedCodes'
  >
  readonly users: Pick<Users, 'authenticate'>
  readonly throttle: Pick<Throttle, 'attempt' | 'reservationCookie'>
  readonly report: Report
}

/** One way for the pages and the JSON API to check what a user typed. */
export function createShow({ factors, users, throttle, report }: ShowDependencies): Show {
  return {
    async totp(request, reply, code) {
      const { user } = ownerOf(request).session
      const right = await factors.attempt(user, async () =>
        (await factors.totp?.check(user, code)) === true ? true : undefined,
      )
      if (right !== undefined) return factors.pass(request, reply, 'totp')
      report.failed(request, 'totp')
      return undefined
    },
    async recoveryCode(request, reply, code) {
      const { user } = ownerOf(request).session
      const used = await factors.attempt(user, async () =>
        // They stand in for a factor: where every other method is switched off, they open nothing.
        factors.isOn ? factors.recoveryCodes.use(user, code) : undefined,
      )
      if (used === undefined) {
        report.failed(request, 'recovery-code')
        return undefined
      }
      report.audit(request, 'factor.code-used', used)
      return { identity: await factors.pass(request, reply, 'recovery-code'), ...used }
    },
    async mailedCode(request, code) {
      const { user } = ownerOf(request).session
      const right = await factors.attempt(user, async () =>
        (await factors.mailedCodes?.take(request, code)) === true ? true : undefined,
      )
      if (right === undefined) report.failed(request, 'mail')
      return right === true
    },
    async password(request, reply, password) {
      const { address, devices, reservations, domain } = contextOf(request)
      const { user } = ownerOf(request).session
      try {
        const limiter = await throttle.attempt({ address, devices, reservations })
        const answer = await users.authenticate(user, password, address, limiter)
        const right = answer.kind === 'accepted' && answer.profile.name === user
        if (!right) report.failed(request, 'password')
        // The answer is held back as that to a sign-in.
        request.checked = { began: limiter.began, right }
        return right
      } catch (error) {
        const cookie =
          error instanceof AppError && error.code === 'SIGN_IN_LIMITED'
            ? throttle.reservationCookie(error, domain)
            : undefined
        if (cookie !== undefined) reply.header('Set-Cookie', cookie)
        throw error
      }
    },
  }
}
