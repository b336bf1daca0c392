import { randomInt, randomUUID } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import type { BaseLogger } from 'pino'
import type { Clock, EpochMs } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Audit } from '../audit/index.ts'
import type { Notifier } from '../notify/index.ts'
import type { LogFields } from '../portal/index.ts'
import type { CookieDomain } from '../sessions/index.ts'
import type { FailureLimit, Throttle } from '../throttle/index.ts'
import type { FoundAccount, Users } from '../users/index.ts'
import { mailHashOf, type ResetStore } from './store.ts'
import type { ResetTokens } from './token.ts'

/** Where a request came from, as far as logs, the audit trail and mails tell it. */
export interface Origin {
  readonly domain: CookieDomain
  readonly address: string
  readonly userAgent: string
  readonly fields: LogFields
}

export interface ResetRequest extends Origin {
  /** What was typed. Bounded before it gets here. */
  readonly username: string
  /** Values of the device cookie. */
  readonly devices: readonly string[]
}

export interface RequestsOptions {
  readonly users: Pick<Users, 'findAccount'>
  readonly notifier: Pick<Notifier, 'send'>
  readonly devices: Pick<Throttle['devices'], 'recognise'>
  /** Mails to one user. */
  readonly mailLimit: FailureLimit
  readonly store: Pick<ResetStore, 'add'>
  readonly tokens: Pick<ResetTokens, 'sign'>
  /** `identity_validation.reset_password.jwt_lifespan`. Milliseconds. */
  readonly lifespan: number
  readonly audit: Pick<Audit, 'record'>
  readonly clock: Clock
  readonly log: Pick<BaseLogger, 'info' | 'warn' | 'error'>
}

/** Requests whose answer has left and whose user was not looked up yet. Each holds a name and an address. */
const MOST_WAITING = 256
/** How long after its answer a request is worked on: what follows on the same connection does not tell. Milliseconds. */
const SOONEST = 50
const LATEST = 300

/**
 * Works requests off after they were answered: whether there is such a user, whether they have a mail address and whether they
 * were written to a minute ago changes nothing about the answer, nor about its time.
 */
export function createRequests(options: RequestsOptions) {
  const { log } = options
  const stop = new AbortController()
  const underWay = new Set<Promise<void>>()

  const work = async (request: ResetRequest): Promise<void> => {
    try {
      await delay(randomInt(SOONEST, LATEST), undefined, { signal: stop.signal })
    } catch {
      return
    }
    try {
      await answerRequest(options, request)
    } catch (error) {
      log.error({ ...request.fields, err: error }, 'a password reset could not be begun')
    }
  }

  return {
    /** @throws AppError STORE_UNAVAILABLE when too many wait, for every name alike */
    take(request: ResetRequest): void {
      if (underWay.size >= MOST_WAITING)
        throw new AppError('STORE_UNAVAILABLE', { reason: 'too many password resets wait' })
      const working = work(request).finally(() => underWay.delete(working))
      underWay.add(working)
    },
    async close(): Promise<void> {
      stop.abort()
      await Promise.all(underWay)
    },
  }
}

async function answerRequest(options: RequestsOptions, request: ResetRequest): Promise<void> {
  const { users, notifier, store, tokens, lifespan, audit, clock, log } = options
  const { domain, address, userAgent, fields } = request
  const where = { ...fields, remote_ip: address }
  const found = await users.findAccount(request.username)
  const problem = problemOf(found) ?? (await limited(options, request, found))
  const user = found?.profile.name ?? ''
  const about = {
    user,
    actor: 'unknown',
    address,
    userAgent,
    requestId: fields.request_id,
  } as const
  if (found === undefined || problem !== undefined) {
    // What was typed may be a password in the wrong field: it is not written down (requirement 21).
    if (found === undefined) log.error(where, 'user not found')
    else log.info(where, `No mail for a password reset of user '${user}': ${problem}`)
    audit.record('password.reset-asked', {
      ...about,
      details: { sent: false, reason: problem ?? 'unknown' },
    })
    return
  }
  const { displayName, email } = found.profile
  const issuer = issuerOf(domain)
  if (issuer === undefined) return
  // A time plus a duration is a time; arithmetic drops the brand.
  const expiresAt = (clock.now() + lifespan) as EpochMs
  const id = randomUUID()
  const token = await tokens.sign({ id, user, expiresAt }, issuer)
  await store.add({ id, user, mailHash: mailHashOf(id, email), expiresAt, grantHash: '' })
  log.info(where, `Sending an email to user '${user}' to reset the password`)
  const sent = await notifier.send({
    kind: 'identity_verification_jwt',
    to: { name: displayName, address: email },
    subject: 'Reset your password',
    expiresAt,
    fields: {
      domain: domain.domain,
      remoteIP: address,
      linkURL: `${issuer}/reset-password/step2?token=${token}`,
      linkText: 'Reset',
      revocationLinkURL: `${issuer}/revoke/reset-password?token=${token}`,
      revocationLinkText: 'Revoke',
    },
  })
  audit.record('password.reset-asked', { ...about, details: { sent } })
}

/** The portal of a cookie domain by the configuration, never by the Host header; also the issuer of its tokens. */
export const issuerOf = ({ portalUrl }: CookieDomain): string | undefined =>
  portalUrl?.href.replace(/\/$/, '')

function problemOf(found: FoundAccount | undefined): string | undefined {
  if (found === undefined) return 'unknown'
  if (found.disabled) return 'disabled'
  if (!found.takesPasswords) return 'unwritable'
  return found.profile.email === '' ? 'no-mail' : undefined
}

/** A browser that the user has signed in with is counted apart: what strangers ask for does not stop it. */
async function limited(
  { mailLimit, devices }: RequestsOptions,
  { devices: values }: ResetRequest,
  found: FoundAccount | undefined,
): Promise<string | undefined> {
  const name = found?.profile.name ?? ''
  const known = values.length === 0 ? [] : await devices.recognise(values)
  const own = known.find(({ user }) => user === name)
  try {
    // Never given back: each mail counts.
    await mailLimit.take(own === undefined ? `user:${name}` : `device:${own.id}`)
    return undefined
  } catch (error) {
    if (error instanceof AppError && error.code === 'SIGN_IN_LIMITED') return 'limited'
    throw error
  }
}
