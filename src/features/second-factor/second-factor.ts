import { randomBytes } from 'node:crypto'
import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Sealer } from '../../kernel/seal.ts'
import type { Secret } from '../../kernel/secret.ts'
import { type Storage, startSweeper } from '../../storage/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Notifier } from '../notify/index.ts'
import { ownerOf } from '../portal/index.ts'
import {
  type FactorKind,
  hasFactor as hasKind,
  type OnceStore,
  type Sessions,
} from '../sessions/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import { createElevation } from './elevation.ts'
import { createMailedCodes } from './mailed-codes.ts'
import type { ElevatedSessionSettings, SecondFactorSettings, TotpSettings } from './manifest.ts'
import type { Method, MethodName, SecondFactor } from './method.ts'
import { createRecoveryCodes } from './methods/recovery-codes.ts'
import { createTotp } from './methods/totp.ts'
import { createTotpStore } from './methods/totp-store.ts'
import { createPreferences } from './preferences.ts'
import { createFactorRegistry } from './registry.ts'
import { createReport } from './report.ts'
import { createShow } from './show.ts'
import { createTrustStore } from './trust-store.ts'
import { createTrustedDevices } from './trusted-devices.ts'
import { createWrongCodes } from './wrong-codes.ts'

export interface SecondFactorOptions {
  readonly config: {
    readonly totp: TotpSettings
    readonly second_factor: SecondFactorSettings
    readonly 'identity_validation.elevated_session': ElevatedSessionSettings
    readonly default_2fa_method: 'totp' | 'webauthn' | 'mobile_push' | '' | undefined
  }
  readonly storage: Pick<Storage, 'db' | 'transaction'>
  readonly once: OnceStore
  readonly sealer: Sealer
  /** Newest first; they key the hashes of mailed codes. */
  readonly secrets: readonly Secret[]
  /** Undefined: no mail can be sent. */
  readonly notifier: Pick<Notifier, 'send'> | undefined
  readonly sessions: Pick<Sessions, 'raise' | 'elevate' | 'list' | 'revoke' | 'revokeById'>
  readonly audit: Pick<Audit, 'record'>
  readonly users: Pick<Users, 'authenticate' | 'marks'>
  readonly throttle: Pick<Throttle, 'attempt' | 'reservationCookie' | 'devices'>
  readonly log: Pick<Logger, 'debug' | 'warn' | 'error'>
  readonly clock: Clock
  /** Methods besides TOTP and recovery codes. */
  readonly methods?: readonly Method[]
  /** What is stored of such methods, also while they are switched off. */
  readonly stored?: readonly StoredFactors[]
  /** Unguessable bytes. */
  readonly random?: (size: number) => Buffer
}

/** The stored factors of a method, whether it is switched on or not. Every call may throw AppError STORE_UNAVAILABLE. */
export interface StoredFactors {
  has(user: string): Promise<boolean>
  /** @returns how many */
  removeAll(user: string): Promise<number>
}

/** Puts the parts of this feature together. `close` ends what it does in the background. */
export function createSecondFactor(
  options: SecondFactorOptions,
): SecondFactor & { close(): Promise<void> } {
  const { config, storage, once, sealer, sessions, audit, users, throttle, log, clock } = options
  const { random = randomBytes, methods: more = [], stored = [] } = options
  const report = createReport({ audit, log })
  const preferences = createPreferences({ storage, clock })
  const wrongCodes = createWrongCodes({ storage, clock })
  const elevatedSession = config['identity_validation.elevated_session']
  const { notifier } = options
  const mailedCodes =
    notifier && createMailedCodes({ ...options, notifier, config: elevatedSession })
  const recoveryCodes = createRecoveryCodes({ storage, sealer, clock, random })
  const store = createTotpStore(storage, sealer)
  const totp = config.totp.disable
    ? undefined
    : createTotp({ config: config.totp, store, once, sealer, clock, random })
  const methods: readonly Method[] = [
    ...(totp === undefined ? [] : [totpMethod(totp)]),
    ...more,
    recoveryMethod(recoveryCodes),
  ]
  const trustStore = createTrustStore(storage)
  const trusted = createTrustedDevices({
    ...{ store: trustStore, devices: throttle.devices, sessions, users, report, clock },
    duration: config.second_factor.trusted_device.duration,
  })
  const isOn = methods.some(({ name }) => name !== 'recovery_code')

  const available: SecondFactor['available'] = async (user, domain) => {
    if (!isOn) return []
    const found: MethodName[] = []
    for (const method of methods)
      if (await method.isRegistered(user, domain)) found.push(method.name)
    const first = (await preferences.preferred(user)) ?? config.default_2fa_method
    return found.sort((a, b) => Number(b === first) - Number(a === first))
  }
  const hasFactor: SecondFactor['hasFactor'] = async (user) => {
    if (await store.has(user)) return true
    for (const one of stored) if (await one.has(user)) return true
    return ((await recoveryCodes.status(user))?.remaining ?? 0) > 0
  }

  const attempt: SecondFactor['attempt'] = (user, check) =>
    wrongCodes.attempt(user, check, () => {
      log.warn({ user }, 'too many wrong codes: the next ones have to wait')
      audit.record('factor.limited', { user, actor: 'system' })
    })
  const isEnrolled = async (user: string, factor: FactorKind): Promise<boolean> => {
    if (factor === 'totp') return store.has(user)
    if (factor === 'recovery-code') return (await recoveryCodes.status(user)) !== undefined
    // A new password ends every session by itself.
    return true
  }
  const pass: SecondFactor['pass'] = async (
    request,
    reply,
    factor,
    isStillThere = () => isEnrolled(ownerOf(request).session.user, factor),
  ) => {
    const { session, profile } = ownerOf(request)
    const raised = await sessions.raise({ key: session.key, factor })
    if (raised === undefined) throw new AppError('SIGN_IN_REQUIRED')
    // A removal ends the sessions that it finds. One that was raised after it looked is ended here.
    if (!(await isStillThere())) {
      await sessions.revoke(raised.session.key)
      throw new AppError('SIGN_IN_REQUIRED')
    }
    reply.header('Set-Cookie', raised.cookie)
    report.succeeded(request, factor)
    // Not for a password: a thief who has it would begin to count anew with it.
    if (factor !== 'password') await wrongCodes.clear(session.user)
    return { session: raised.session, profile }
  }

  /** Ends other sign-ins of the user that rose by a factor of this kind. */
  const endOthers = async (request: FastifyRequest, factor: FactorKind): Promise<void> => {
    const { session: own } = ownerOf(request)
    const shown: readonly FactorKind[] = factor === 'webauthn' ? ['webauthn', 'passkey'] : [factor]
    const kinds: readonly FactorKind[] = [...shown, 'trusted-device']
    const others = (await sessions.list(own.user)).filter(
      (session) => session.login !== own.login && kinds.some((kind) => hasKind(session, kind)),
    )
    let count = 0
    for (const { id } of others) count += (await sessions.revokeById(id)).length
    if (count > 0)
      report.audit(request, 'session.revoked', { sessions: count, reason: 'factor-changed' })
    // Afterwards: what is trusted while sessions end looks for its session again.
    await trusted.forget(own.user)
  }

  const stopSweeper = startSweeper({
    sweep: async (limit) =>
      Math.max(await store.sweep(clock.now(), limit), await trustStore.sweep(clock.now(), limit)),
    failed: (error) => log.error({ err: error }, 'used codes that are over could not be removed'),
  })
  return {
    ...{ methods, isOn, totp, recoveryCodes, mailedCodes, trusted, available, hasFactor },
    preferred: preferences.preferred,
    setPreferred: preferences.setPreferred,
    elevation: createElevation({
      ...{ config: elevatedSession, sessions, mailedCodes, report, clock },
      factors: { available, hasFactor },
    }),
    registry: createFactorRegistry({
      storage,
      clock,
      removals: stored.map(({ removeAll }) => removeAll),
    }),
    async mayEnrol(user) {
      const asksForInvitation = config.second_factor.enrolment === 'invited'
      return !asksForInvitation || (await hasFactor(user)) || preferences.isInvited(user)
    },
    async enrolled(request, factor) {
      if (factor === 'recovery-code') report.audit(request, 'factor.codes-created')
      else report.audit(request, 'factor.added', { method: factor })
      await preferences.enrolled(ownerOf(request).session.user)
      if (factor === 'totp' || factor === 'recovery-code') await endOthers(request, factor)
      else await trusted.forget(ownerOf(request).session.user)
    },
    async removed(request, factor) {
      report.audit(request, 'factor.removed', { method: factor, reason: 'asked' })
      await endOthers(request, factor)
    },
    ...{ attempt, pass },
    show: createShow({
      ...{
        factors: { attempt, isOn, pass, totp, recoveryCodes, mailedCodes },
        users,
        throttle,
        report,
      },
    }),
    fail: report.failed,
    async close() {
      stopSweeper()
    },
  }
}

const totpMethod = (totp: NonNullable<SecondFactor['totp']>): Method => ({
  name: 'totp',
  factor: 'totp',
  isRegistered: async (user) => (await totp.config(user)) !== undefined,
  remove: async (user) => ((await totp.remove(user)) ? 1 : 0),
})

const recoveryMethod = (codes: SecondFactor['recoveryCodes']): Method => ({
  name: 'recovery_code',
  factor: 'recovery-code',
  isRegistered: async (user) => ((await codes.status(user))?.remaining ?? 0) > 0,
  remove: async (user) => ((await codes.remove(user)) ? 1 : 0),
})
