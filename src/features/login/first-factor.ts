import type { Logger } from 'pino'
import { AppError } from '../../kernel/errors.ts'
import type { Audit } from '../audit/index.ts'
import type { LogFields, RequestContext } from '../portal/index.ts'
import type { Sessions, Started } from '../sessions/index.ts'
import type { Checked, Throttle } from '../throttle/index.ts'
import type { Profile, Users } from '../users/index.ts'
import { startTrusted, type Trusted } from './trusted.ts'

/** What the user typed. Bounded before it gets here. */
export interface Credentials {
  readonly username: string
  readonly password: string
  readonly remember: boolean
}

/** Longer names and passwords are refused unread. Characters. */
export const MAX_USERNAME = 320 // RFC 3696: the longest mail address
export const MAX_PASSWORD = 1024

export type Attempt =
  | {
      readonly kind: 'accepted'
      readonly profile: Profile
      readonly cookies: readonly string[]
      readonly checked: Checked
    }
  | { readonly kind: 'refused'; readonly checked: Checked }
  /** The limit on failures refused it. */
  | {
      readonly kind: 'limited'
      /** SIGN_IN_LIMITED, with `retryAfter`. */
      readonly error: AppError
      /** With what the browser is promised. */
      readonly cookies: readonly string[]
    }

export interface FirstFactorOptions {
  readonly users: Pick<Users, 'authenticate'>
  readonly sessions: Pick<Sessions, 'start' | 'revoke'>
  readonly trusted: Trusted
  readonly throttle: Pick<Throttle, 'attempt' | 'devices' | 'reservationCookie'>
  readonly audit: Pick<Audit, 'record'>
  readonly log: Logger
}

type KnownDevice = Awaited<ReturnType<Throttle['devices']['remember']>>

/** What became of an attempt, before anything is written down or sent of it. */
type Outcome =
  | { readonly kind: 'limited'; readonly error: AppError }
  | {
      readonly kind: 'refused'
      readonly began: number
      /** Canonical name of a known user; empty otherwise. */
      readonly name: string
      readonly reason: string
      readonly banned: boolean
    }
  /** The password was right, and the user's sessions were ended while this one began. */
  | { readonly kind: 'overtaken'; readonly began: number }
  | {
      readonly kind: 'accepted'
      readonly began: number
      readonly profile: Profile
      readonly started: Started
      /** Undefined where devices are not remembered. */
      readonly device: KnownDevice
    }

/**
 * One attempt to sign in with a password. On success the browser gets a new session and every session that came with the
 * request ends (advisory 12: no id survives a sign-in).
 *
 * @throws AppError HASHING_BUSY, STORE_UNAVAILABLE
 */
export function createFirstFactor(options: FirstFactorOptions) {
  return async (
    credentials: Credentials,
    context: RequestContext,
    fields: LogFields,
  ): Promise<Attempt> => {
    const outcome = await tryCredentials(options, credentials, context)
    report(options, outcome, context, fields)
    return answerOf(options, outcome, context)
  }
}

export type FirstFactor = ReturnType<typeof createFirstFactor>

/** Checks the password, and begins what a right one begins. */
async function tryCredentials(
  { users, sessions, throttle, trusted }: FirstFactorOptions,
  { username, password, remember }: Credentials,
  { address, devices, reservations, userAgent, domain, cookies }: RequestContext,
): Promise<Outcome> {
  const tried = await unlessRefused('SIGN_IN_LIMITED', async () => {
    const limiter = await throttle.attempt({ address, devices, reservations })
    const answer = await users.authenticate(username, password, address, limiter)
    return { answer, ban: limiter.ban, began: limiter.began }
  })
  if (tried instanceof AppError) return { kind: 'limited', error: tried }
  const { answer, ban, began } = tried
  if (answer.kind === 'refused') {
    const { name, reason } = answer
    return { kind: 'refused', began, name, reason, banned: ban !== undefined }
  }
  const { profile } = answer
  const started = await unlessRefused('AUTHENTICATION_FAILED', () =>
    startTrusted(
      () => trusted.factorOf(profile.name, domain, devices),
      (also) =>
        sessions.start({
          domain,
          profile,
          factors: ['password', ...also],
          remember: remember && domain.rememberMe > 0,
          address,
          userAgent,
          replaces: cookies,
        }),
      ({ session }) => sessions.revoke(session.key),
    ),
  )
  if (started instanceof AppError) return { kind: 'overtaken', began }
  // Signed in with all that is asked for: the browser is known from now on.
  const device = await throttle.devices.remember({
    user: profile.name,
    domain,
    values: devices,
    address,
    userAgent,
  })
  return { kind: 'accepted', began, profile, started, device }
}

/** @returns the AppError with this code, where `work` ends with it */
async function unlessRefused<T>(
  code: AppError['code'],
  work: () => Promise<T>,
): Promise<T | AppError> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof AppError && error.code === code) return error
    throw error
  }
}

/** The log and the audit trail. */
function report(
  { audit, log }: Pick<FirstFactorOptions, 'audit' | 'log'>,
  outcome: Outcome,
  { address, userAgent }: RequestContext,
  where: LogFields,
): void {
  const from = { address, userAgent, requestId: where.request_id }
  const fields = { ...where, remote_ip: address }
  const method = 'password'
  switch (outcome.kind) {
    case 'limited':
      audit.record('login.limited', { ...from, user: '', actor: 'unknown', details: { method } })
      return
    case 'refused': {
      const { name, reason, banned } = outcome
      // Canonical name of a known user, else nothing: what was typed may be a password in the wrong field (requirement 21).
      log.error(fields, `Unsuccessful 1FA authentication attempt by user '${name}'`)
      const about = { ...from, user: name, actor: 'unknown' as const }
      if (banned) audit.record('login.banned', { ...about, details: { method } })
      else audit.record('login.failed', { ...about, details: { method, reason } })
      return
    }
    case 'overtaken':
      return
    case 'accepted': {
      const { profile, started, device } = outcome
      // The audit trail's line says it at `info`.
      log.debug(fields, `Successful 1FA authentication attempt made by user '${profile.name}'`)
      const about = { ...from, user: profile.name, actor: `user:${profile.name}` as const }
      const { remembered } = started.session
      audit.record('login.succeeded', {
        ...about,
        details: { method, remembered, ...(device !== undefined && { new_device: device.isNew }) },
      })
      if (device?.isNew)
        audit.record('device.added', { ...about, details: { device: device.device } })
      return
    }
    default:
      outcome satisfies never
  }
}

/** What the browser gets. */
function answerOf(
  { throttle }: Pick<FirstFactorOptions, 'throttle'>,
  outcome: Outcome,
  { domain }: RequestContext,
): Attempt {
  switch (outcome.kind) {
    case 'limited': {
      const { error } = outcome
      const cookie = throttle.reservationCookie(error, domain)
      return { kind: 'limited', error, cookies: cookie === undefined ? [] : [cookie] }
    }
    // A session that was overtaken is answered like a wrong password.
    case 'refused':
    case 'overtaken':
      return { kind: 'refused', checked: { began: outcome.began, right: false } }
    case 'accepted': {
      const { began, profile, started, device } = outcome
      const cookies = [started.cookie, ...(device === undefined ? [] : [device.cookie])]
      return { kind: 'accepted', profile, cookies, checked: { began, right: true } }
    }
    default:
      return outcome satisfies never
  }
}
