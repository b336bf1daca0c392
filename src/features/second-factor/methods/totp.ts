import { z } from 'zod'
import type { Clock } from '../../../kernel/clock.ts'
import { AppError } from '../../../kernel/errors.ts'
import type { Sealer } from '../../../kernel/seal.ts'
import type { OnceStore } from '../../sessions/index.ts'
import type { TotpSettings } from '../manifest.ts'
import type { Totp, TotpChoice, TotpOptions } from '../method.ts'
import { createPending } from '../pending.ts'
import { enrolmentOf, stepOf } from './totp-code.ts'
import type { TotpStore, UsedStep } from './totp-store.ts'

export interface TotpDependencies {
  readonly config: TotpSettings
  readonly store: TotpStore
  readonly once: OnceStore
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: (size: number) => Buffer
}

/** Milliseconds that an enrolment may take. */
const ENROLMENT = 600_000
/** Milliseconds by which the clock of another node may be behind: it still accepts what is over here. */
const NODES_APART = 300_000

const pendingShape = z.object({
  secret: z.base64url(),
  issuer: z.string(),
  algorithm: z.enum(['SHA1', 'SHA256', 'SHA512']),
  digits: z.literal([6, 8]),
  period: z.int(),
})

/** One-time codes of an authenticator app (RFC 6238), one app a user. */
export function createTotp({ config, store, once, sealer, clock, random }: TotpDependencies): Totp {
  const options = optionsOf(config)
  const pending = createPending({
    ...{ kind: 'totp', shape: pendingShape, lifetime: ENROLMENT },
    ...{ once, sealer, clock },
  })
  const usedStep = (step: number, period: number): UsedStep => ({
    step,
    expiresAt: (step + config.skew + 1) * period * 1000 + NODES_APART,
  })

  return {
    options,
    async config(user) {
      const found = await store.find(user)
      if (found === undefined) return undefined
      const { secret: _, ...rest } = found
      return rest
    },
    async begin(session, user, wanted = {}) {
      const choice = chosen(options, wanted)
      const secret = random(config.secret_size)
      const { issuer } = config
      await pending.put(session, user, { ...choice, issuer, secret: secret.toString('base64url') })
      return enrolmentOf({ ...choice, secret }, { issuer, user })
    },
    async confirm(session, user, code) {
      const taken = await pending.take(session, user)
      if (taken === undefined) return false
      const { issuer, ...choice } = taken.value
      const secret = Buffer.from(choice.secret, 'base64url')
      const now = clock.now()
      const step = await stepOf({ ...choice, secret }, code, { now, skew: config.skew })
      if (step === undefined) {
        await taken.putBack()
        return false
      }
      const enrolled = { ...choice, secret, issuer, createdAt: now, lastUsedAt: now }
      await store.save(user, enrolled, usedStep(step, choice.period))
      return true
    },
    async cancel(session, user) {
      await pending.take(session, user)
    },
    async check(user, code) {
      const found = await store.find(user)
      if (found === undefined) return false
      const now = clock.now()
      const step = await stepOf(found, code, { now, skew: config.skew })
      if (step === undefined) return false
      const once = config.disable_reuse_security_policy ? undefined : usedStep(step, found.period)
      return store.use(user, found, once, now)
    },
    remove: (user) => store.remove(user),
  }
}

function optionsOf(config: TotpSettings): TotpOptions {
  const { algorithm, digits, period } = config
  return {
    standard: { algorithm, digits, period },
    algorithms: [...new Set([algorithm, ...config.allowed_algorithms])],
    digits: [...new Set([digits, ...config.allowed_digits])],
    periods: [...new Set([period, ...config.allowed_periods])],
  }
}

function chosen(options: TotpOptions, wanted: Partial<TotpChoice>): TotpChoice {
  const choice = { ...options.standard, ...wanted }
  if (
    !options.algorithms.includes(choice.algorithm) ||
    !options.digits.includes(choice.digits) ||
    !options.periods.includes(choice.period)
  )
    throw new AppError('BODY_INVALID', {
      reason: 'this algorithm, length or period is not allowed',
    })
  return choice
}
