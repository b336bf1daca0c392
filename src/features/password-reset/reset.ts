import { createHash, randomBytes } from 'node:crypto'
import { stringifySetCookie } from 'cookie'
import type { BaseLogger } from 'pino'
import type { Clock, EpochMs } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Secret } from '../../kernel/secret.ts'
import { type Storage, startSweeper } from '../../storage/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Notifier } from '../notify/index.ts'
import type { PasswordPolicy } from '../passwords/index.ts'
import type { CookieDomain, Sessions } from '../sessions/index.ts'
import { addressKey, type Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import type { ResetPasswordSettings } from './manifest.ts'
import { createRequests, issuerOf, type Origin, type ResetRequest } from './requests.ts'
import { createResetStore, mailHashOf, type OpenReset, type ResetStore } from './store.ts'
import { createResetTokens, type ResetTokens } from './token.ts'

/** Forgotten passwords: asked for, proved by a mail's link, changed. */
export interface PasswordReset {
  /**
   * Takes a request, and says nothing about the user: a mail leaves later, if at all.
   * @throws AppError SIGN_IN_LIMITED for this address, STORE_UNAVAILABLE when too many wait
   */
  ask(request: ResetRequest): Promise<void>
  /** The reset of a link, as long as it can be used. Changes nothing. */
  ofToken(token: string, from: Origin): Promise<OpenReset | undefined>
  /** The reset of the cookie that `exchange` gave. Changes nothing. */
  ofGrant(value: string): Promise<OpenReset | undefined>
  /**
   * Exchanges a token for a cookie, once.
   * @returns the `Set-Cookie` header, a credential; undefined: the token is refused
   * @throws AppError SIGN_IN_LIMITED
   */
  exchange(token: string, from: Origin): Promise<string | undefined>
  /** @returns whether there was something to revoke. @throws AppError SIGN_IN_LIMITED */
  revoke(token: string, from: Origin): Promise<boolean>
  /**
   * Sets the password, uses the reset up and ends all sessions of the user. Signs no user in.
   * @returns false: the reset was used meanwhile, or its user is gone, disabled, or has another mail address
   * @throws AppError PASSWORD_WEAK, PASSWORD_UNUSABLE, USERS_UNWRITABLE, HASHING_BUSY, STORE_UNAVAILABLE; the reset can be
   *   used again then
   */
  complete(reset: OpenReset, password: string, from: Origin): Promise<boolean>
  close(): Promise<void>
}

export interface PasswordResetOptions {
  readonly config: ResetPasswordSettings
  /** Signs the tokens. */
  readonly secret: Secret
  readonly storage: Storage
  readonly users: Pick<
    Users,
    'findAccount' | 'profile' | 'setPassword' | 'onInvalidated' | 'takesPasswords'
  >
  readonly policy: Pick<PasswordPolicy, 'approve'>
  readonly sessions: Pick<Sessions, 'revokeUser'>
  readonly throttle: Pick<Throttle, 'limit' | 'devices'>
  readonly notifier: Pick<Notifier, 'send'>
  readonly audit: Pick<Audit, 'record'>
  readonly clock: Clock
  readonly log: Pick<BaseLogger, 'info' | 'warn' | 'error'>
}

const MINUTE = 60_000
const HOUR = 60 * MINUTE
/** Authelia's, of one address. */
const START_LIMIT = [
  { count: 5, period: 10 * MINUTE },
  { count: 10, period: 15 * MINUTE },
  { count: 15, period: 30 * MINUTE },
]
const FINISH_LIMIT = [
  { count: 10, period: MINUTE },
  { count: 15, period: 2 * MINUTE },
]
/** Mails to one user: a mailbox is not to be flooded by a stranger who knows the name, from however many addresses. */
const MAIL_LIMIT = [
  { count: 1, period: MINUTE },
  { count: 3, period: HOUR },
  { count: 10, period: 24 * HOUR },
]

export async function createPasswordReset(options: PasswordResetOptions): Promise<PasswordReset> {
  const { config, secret, storage, users, throttle, clock, log } = options
  const store = createResetStore(storage)
  const now = () => clock.now()
  const tokens = createResetTokens({ algorithm: config.jwt_algorithm, secret, now })
  const limit = async (name: string, windows: typeof START_LIMIT) => throttle.limit(name, windows)
  const startLimit = await limit('reset-start', START_LIMIT)
  const finishLimit = await limit('reset-finish', FINISH_LIMIT)
  const requests = createRequests({
    ...options,
    ...{ store, tokens, devices: throttle.devices, lifespan: config.jwt_lifespan },
    mailLimit: await limit('reset-mail', MAIL_LIMIT),
  })
  // A link that was asked for before the password changed, or the user was disabled, is worth nothing afterwards.
  users.onInvalidated((names) => {
    store
      .removeUsers(names)
      .catch((error: unknown) => log.error({ err: error }, 'password resets are not removed yet'))
  })
  const stopSweeper = startSweeper({
    sweep: (size) => store.sweep(clock.now(), size),
    failed: (error) => log.error({ err: error }, 'what is over of resets could not be removed'),
  })
  const complete = createCompletion(options, store)
  const read = createReader({ store, tokens, clock, log })

  /** Wrong tokens count; right ones are given back. */
  const counted = async <T>(
    { address }: Origin,
    work: () => Promise<T>,
    isRight: (result: T) => boolean,
  ): Promise<T> => {
    const settle = await finishLimit.take(addressKey(address))
    let right = false
    try {
      const result = await work()
      right = isRight(result)
      return result
    } finally {
      await settle(right)
    }
  }

  return {
    async ask(request) {
      await startLimit.take(addressKey(request.address))
      requests.take(request)
    },
    ofToken: read,
    ofGrant: (value) => store.byGrant(value === '' ? '' : hashOf(value), clock.now()),
    exchange: (token, from) =>
      counted(
        from,
        async () => {
          const found = await read(token, from)
          if (found === undefined) return undefined
          const value = randomBytes(32).toString('base64url')
          // A time plus a duration is a time; arithmetic drops the brand.
          const expiresAt = (clock.now() + config.jwt_lifespan) as EpochMs
          const grant = { grantHash: hashOf(value), expiresAt }
          if (!(await store.exchange(found.id, grant))) return undefined
          return cookieOf(from.domain, value, config.jwt_lifespan)
        },
        (cookie) => cookie !== undefined,
      ),
    revoke: (token, from) =>
      counted(
        from,
        async () => {
          const claims = await claimsOf(tokens, token, from, log)
          if (claims === undefined || !(await store.revoke(claims.id, claims.user))) return false
          const { address, userAgent, fields } = from
          options.audit.record('password.reset-revoked', {
            ...{ user: claims.user, actor: 'unknown', address, userAgent },
            requestId: fields.request_id,
          })
          return true
        },
        (revoked) => revoked,
      ),
    complete,
    async close() {
      stopSweeper()
      await requests.close()
    },
  }
}

async function claimsOf(
  tokens: ResetTokens,
  token: string,
  { domain, address, fields }: Origin,
  log: PasswordResetOptions['log'],
) {
  const issuer = issuerOf(domain)
  if (issuer === undefined) return undefined
  const claims = await tokens.read(token, issuer)
  if (!('refused' in claims)) return claims
  const reason = claims.refused
  log.info({ ...fields, reason, remote_ip: address }, 'a token of a password reset was refused')
  return undefined
}

function createReader({
  store,
  tokens,
  clock,
  log,
}: {
  readonly store: ResetStore
  readonly tokens: ResetTokens
  readonly clock: Clock
  readonly log: PasswordResetOptions['log']
}): PasswordReset['ofToken'] {
  return async (token, from) => {
    const claims = await claimsOf(tokens, token, from, log)
    if (claims === undefined) return undefined
    const found = await store.byToken(claims.id, clock.now())
    if (found?.user === claims.user) return found
    const { fields, address: remote_ip } = from
    const reason = 'used, revoked or overtaken'
    log.info({ ...fields, reason, remote_ip }, 'a token of a password reset was refused')
    return undefined
  }
}

function createCompletion(
  { users, policy, sessions, audit, log }: PasswordResetOptions,
  store: Pick<ResetStore, 'take' | 'add'>,
): PasswordReset['complete'] {
  return async (reset, password, { address, userAgent, fields }) => {
    const { user } = reset
    const profile = await users.profile(user)
    if (profile === undefined) return false
    // The mailbox that got the link may not be the user's any more.
    if (mailHashOf(reset.id, profile.email) !== reset.mailHash) return false
    const approved = await policy.approve(password, profile)
    if (!(await store.take(reset))) return false
    try {
      await users.setPassword(user, approved)
    } catch (error) {
      // The user may choose another password, or try again.
      if (error instanceof AppError && error.code !== 'USER_UNKNOWN') await store.add(reset)
      throw error
    }
    await sessions.revokeUser(user)
    // The trail's listener tells the user by mail.
    audit.record('password.changed', {
      ...{ user, actor: 'unknown', address, userAgent, requestId: fields.request_id },
      details: { reason: 'reset' },
    })
    log.info({ ...fields, remote_ip: address }, `The password of user '${user}' was reset`)
    return true
  }
}

const hashOf = (value: string): string => createHash('sha256').update(value).digest('base64url')

const SUFFIX = '_reset'
/** Beside the session's; sent to the portal's host alone. */
export const grantCookieName = ({ name }: CookieDomain): string => `${name}${SUFFIX}`

const cookieOf = (domain: CookieDomain, value: string, lifespan: number): string =>
  stringifySetCookie({
    name: grantCookieName(domain),
    value,
    path: '/',
    maxAge: Math.floor(lifespan / 1000),
    httpOnly: true,
    secure: true,
    sameSite: 'strict',
  })
