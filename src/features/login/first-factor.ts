import type { Logger } from 'pino'
import { AppError } from '../../kernel/errors.ts'
import type { Sessions } from '../sessions/index.ts'
import type { Throttle } from '../throttle/index.ts'
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
  | { readonly kind: 'accepted'; readonly profile: Profile; readonly cookies: readonly string[] }
  | { readonly kind: 'refused' }

/**
 * One attempt to sign in with a password. On success the visitor gets a new session and every session that came with
 * the request ends (advisory 12: no id survives a sign-in).
 *
 * @throws AppError SIGN_IN_LIMITED, HASHING_BUSY, STORE_UNAVAILABLE
 */
export function createFirstFactor({
  users,
  sessions,
  throttle,
  log,
}: {
  readonly users: Users
  readonly sessions: Sessions
  readonly throttle: Throttle
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

  return async (
    { username, password, remember }: Credentials,
    visit: Visit,
    where: { readonly method: string; readonly path: string; readonly request_id: string },
  ): Promise<Attempt> => {
    const { address, devices, userAgent } = visit
    const guard = await throttle.attempt({ address, devices })
    const answer = await users.authenticate(username, password, address, guard)
    const fields = { ...where, remote_ip: address }
    if (answer.kind === 'refused') {
      // Canonical name of a known user, else nothing: what was typed may be a password in the wrong field (measure 21).
      log.error(fields, `Unsuccessful 1FA authentication attempt by user '${answer.name}'`)
      return { kind: 'refused' }
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
    if (started === undefined) return { kind: 'refused' }
    log.info(fields, `Successful 1FA authentication attempt made by user '${profile.name}'`)
    // Signed in with all that is asked of anybody here: the browser is known from now on.
    const known = await throttle.devices.remember({
      user: profile.name,
      domain: visit.domain,
      values: devices,
      address,
      userAgent,
    })
    const cookies = [started.cookie, ...(known === undefined ? [] : [known.cookie])]
    return { kind: 'accepted', profile, cookies }
  }
}

export type FirstFactor = ReturnType<typeof createFirstFactor>
