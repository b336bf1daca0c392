import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { pathOf } from '../../http/replies.ts'
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Audit } from '../audit/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Authentication, Profile, Users } from '../users/index.ts'
import type { Basic } from './strategies/basic.ts'

export interface BasicAttemptOptions {
  readonly users: Users
  readonly throttle: Throttle
  readonly audit: Pick<Audit, 'record'>
  readonly clock: Clock
  readonly log: Logger
}

/** The credentials were refused. */
export interface BasicRefused {
  /** Seconds after which another password of this address may be looked at. */
  readonly retryAfter: number
}

/** What became of an attempt, before anything is written down of it. */
type Outcome =
  | (BasicRefused & { readonly kind: 'limited' })
  | (Authentication & {
      readonly banned: boolean
      /** When the check began, by the monotonic clock. */
      readonly began: number
    })

/**
 * One attempt to sign in with a name and a password in a header.
 * @throws AppError HASHING_BUSY, STORE_UNAVAILABLE
 */
export async function attemptBasic(
  options: BasicAttemptOptions,
  credentials: Basic,
  address: string,
  request: FastifyRequest,
): Promise<Profile | BasicRefused> {
  const { throttle, clock } = options
  const outcome = await tryCredentials(options, credentials, address)
  report(options, outcome, address, request)
  switch (outcome.kind) {
    case 'limited':
      return { retryAfter: outcome.retryAfter }
    case 'refused': {
      // It depends on the address alone, so that it does not tell why the attempt was refused.
      const retryAfter = await throttle.retryAfter(address)
      await throttle.delay.hold(outcome.began, request.raw.socket)
      return { retryAfter }
    }
    case 'accepted':
      throttle.delay.succeeded(clock.monotonic() - outcome.began)
      return outcome.profile
    default:
      return outcome satisfies never
  }
}

/** Past the limit the answer is that of wrong credentials (nginx makes 500 of a 429), at once and without any hash. */
async function tryCredentials(
  { users, throttle, log }: BasicAttemptOptions,
  { username, password }: Basic,
  address: string,
): Promise<Outcome> {
  try {
    // Cached credentials never come here: only what costs a hash waits for its slot.
    await new Promise<void>((resolve) => throttle.queue.wait(resolve, false))
    const limiter = await throttle.attempt({ address, devices: [], reservations: undefined })
    const answer = await users.authenticate(username, password, address, limiter)
    return { ...answer, banned: limiter.ban !== undefined, began: limiter.began }
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'SIGN_IN_LIMITED') throw error
    log.info({ ...error.details, remote_ip: address }, error.message)
    return { kind: 'limited', retryAfter: error.retryAfter ?? 1 }
  }
}

/** The log and the audit trail. */
function report(
  { audit, log }: BasicAttemptOptions,
  outcome: Outcome,
  address: string,
  request: FastifyRequest,
): void {
  const method = 'basic'
  const from = {
    actor: 'unknown' as const,
    address,
    userAgent: request.headers['user-agent'] ?? '',
    requestId: request.id,
  }
  const fields = {
    method: request.method,
    path: pathOf(request),
    request_id: request.id,
    remote_ip: address,
  }
  switch (outcome.kind) {
    case 'limited':
      audit.record('login.limited', { ...from, user: '', details: { method } })
      return
    case 'refused': {
      const { name, banned, reason } = outcome
      log.error(fields, `Unsuccessful 1FA authentication attempt by user '${name}'`)
      const about = { ...from, user: name }
      if (banned) audit.record('login.banned', { ...about, details: { method } })
      else audit.record('login.failed', { ...about, details: { method, reason } })
      return
    }
    case 'accepted':
      log.debug(
        fields,
        `Successful 1FA authentication attempt made by user '${outcome.profile.name}'`,
      )
      return
    default:
      outcome satisfies never
  }
}
