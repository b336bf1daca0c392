import type { Logger } from 'pino'
import { AppError } from '../../kernel/errors.ts'
import type { Audit } from '../audit/index.ts'
import type { Sessions } from '../sessions/index.ts'
import type { Checked, Throttle } from '../throttle/index.ts'
import type { Profile, Users } from '../users/index.ts'
import type { Visit } from './visit.ts'

/** What somebody typed. Bounded before it gets here. */
export interface Credentials {
  readonly username: string
  readonly password: string
  readonly remember: boolean
}

/** A name or password longer than this was typed by nobody. Characters. */
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

/**
 * One attempt to sign in with a password. On success the visitor gets a new session and every session that came with
 * the request ends (advisory 12: no id survives a sign-in).
 *
 * @throws AppError HASHING_BUSY, STORE_UNAVAILABLE
 */
export function createFirstFactor({
  users,
  sessions,
  throttle,
  audit,
  log,
}: {
  readonly users: Users
  readonly sessions: Sessions
  readonly throttle: Throttle
  readonly audit: Pick<Audit, 'record'>
  readonly log: Logger
}) {
  /** The user's sessions may be ended while this one begins: then it is as if the password had been wrong. */
  const start = async (options: Parameters<Sessions['start']>[0]) => {
    try {
      return await sessions.start(options)
    } catch (error) {
      if (error instanceof AppError && error.code === 'AUTHENTICATION_FAILED') return undefined
      throw error
    }
  }

  /** @returns the error when the limit on failures refused it */
  const attempt = async (
    { username, password }: Pick<Credentials, 'username' | 'password'>,
    who: Parameters<Throttle['attempt']>[0],
  ) => {
    try {
      const guard = await throttle.attempt(who)
      const answer = await users.authenticate(username, password, who.address, guard)
      return { answer, ban: guard.ban, began: guard.began }
    } catch (error) {
      if (error instanceof AppError && error.code === 'SIGN_IN_LIMITED') return error
      throw error
    }
  }

  return async (
    { username, password, remember }: Credentials,
    visit: Visit,
    where: { readonly method: string; readonly path: string; readonly request_id: string },
  ): Promise<Attempt> => {
    const { address, devices, reservations, userAgent } = visit
    const from = { address, userAgent, requestId: where.request_id }
    const method = 'password'
    const tried = await attempt({ username, password }, { address, devices, reservations })
    if (tried instanceof AppError) {
      audit.record('login.limited', { ...from, user: '', actor: 'unknown', details: { method } })
      const cookie = throttle.reservationCookie(tried, visit.domain)
      return { kind: 'limited', error: tried, cookies: cookie === undefined ? [] : [cookie] }
    }
    const { answer, ban, began } = tried
    const refused = { kind: 'refused', checked: { began, right: false } } as const
    const fields = { ...where, remote_ip: address }
    if (answer.kind === 'refused') {
      // Canonical name of a known user, else nothing: what was typed may be a password in the wrong field (measure 21).
      log.error(fields, `Unsuccessful 1FA authentication attempt by user '${answer.name}'`)
      const about = { ...from, user: answer.name, actor: 'unknown' as const }
      if (ban !== undefined) audit.record('login.banned', { ...about, details: { method } })
      else audit.record('login.failed', { ...about, details: { method, reason: answer.reason } })
      return refused
    }
    const { profile } = answer
    const started = await start({
      domain: visit.domain,
      profile,
      factors: ['password'],
      remember: remember && visit.domain.rememberMe > 0,
      address,
      userAgent,
      replaces: visit.cookies,
    })
    if (started === undefined) return refused
    // The audit trail's line says it at `info`.
    log.debug(fields, `Successful 1FA authentication attempt made by user '${profile.name}'`)
    // Signed in with all that is asked of anybody here: the browser is known from now on.
    const known = await throttle.devices.remember({
      user: profile.name,
      domain: visit.domain,
      values: devices,
      address,
      userAgent,
    })
    const about = { ...from, user: profile.name, actor: `user:${profile.name}` as const }
    audit.record('login.succeeded', {
      ...about,
      details: {
        method,
        remembered: started.session.remembered,
        ...(known !== undefined && { new_device: known.isNew }),
      },
    })
    if (known?.isNew) audit.record('device.added', { ...about, details: { device: known.device } })
    const cookies = [started.cookie, ...(known === undefined ? [] : [known.cookie])]
    return { kind: 'accepted', profile, cookies, checked: { began, right: true } }
  }
}

export type FirstFactor = ReturnType<typeof createFirstFactor>
