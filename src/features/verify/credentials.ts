import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { pathOf } from '../../http/replies.ts'
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Audit } from '../audit/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Authentication, Profile, Users } from '../users/index.ts'
import type { Endpoint } from './endpoints.ts'
import { FIELD } from './fields.ts'
import type { Basic } from './strategies/basic.ts'
import { type BasicCache, createBasicCache } from './strategies/basic-cache.ts'
import { type Challenge, headerStrategy, type Strategy } from './strategies/index.ts'
import type { Walk } from './walk.ts'

/** What the header strategies of an endpoint make of a request. */
export type Outcome =
  /** No header of ours; the challenge is there when a header strategy is the last one in the list. */
  | { readonly kind: 'nothing'; readonly challenge: Challenge | undefined }
  | { readonly kind: 'accepted'; readonly profile: Profile; readonly challenge: Challenge }
  | {
      readonly kind: 'refused'
      readonly challenge: Challenge
      /** Seconds; there when a password was, or would have been, checked. */
      readonly retryAfter?: number
    }

/** Seconds after which another password of this address may be looked at. */
interface Refused {
  readonly retryAfter: number
}

/** Credentials in headers: Basic for programs that can't sign in at the portal. */
export interface Credentials {
  /** @throws AppError HASHING_BUSY, STORE_UNAVAILABLE */
  check(walk: Walk, hasSession: boolean, request: FastifyRequest): Promise<Outcome>
}

/** Strategies are an endpoint's own, and so is what it remembers. */
export function createCredentials(
  { strategies }: Endpoint,
  {
    users,
    throttle,
    audit,
    clock,
    log,
  }: {
    readonly users: Users
    readonly throttle: Throttle
    readonly audit: Pick<Audit, 'record'>
    readonly clock: Clock
    readonly log: Logger
  },
): Credentials {
  const list = strategies.map((strategy) => ({
    strategy,
    header: headerStrategy(strategy),
    cache: createBasicCache(strategy.cacheLifespan, clock),
  }))
  users.onRemoved((names) => {
    for (const { cache } of list) for (const name of names) cache.forget(name)
  })

  /** Past the limit the answer is that of wrong credentials (nginx makes 500 of a 429), at once and without any hash. */
  const attempt = async (
    { username, password }: Basic,
    address: string,
  ): Promise<
    | (Authentication & {
        readonly banned: boolean
        /** When its turn had come, by the monotonic clock. */
        readonly began: number
      })
    | Refused
  > => {
    try {
      // Cached credentials never come here: only what costs a hash waits for a turn.
      await new Promise<void>((resolve) => throttle.queue.wait(resolve, false))
      const guard = await throttle.attempt({ address, devices: [], reservations: undefined })
      const answer = await users.authenticate(username, password, address, guard)
      return { ...answer, banned: guard.ban !== undefined, began: guard.began }
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== 'SIGN_IN_LIMITED') throw error
      log.info({ ...error.details, remote_ip: address }, error.message)
      return { retryAfter: error.retryAfter ?? 1 }
    }
  }

  const authenticate = async (
    walk: Walk,
    credentials: Basic,
    cache: BasicCache,
    request: FastifyRequest,
  ): Promise<Profile | Refused> => {
    const remembered = cache.recall(credentials)
    const known = remembered === undefined ? undefined : await users.profile(remembered)
    if (known !== undefined) return known
    const { address } = walk.target
    const answer = await attempt(credentials, address)
    const from = {
      actor: 'unknown' as const,
      address,
      userAgent: request.headers['user-agent'] ?? '',
      requestId: request.id,
    }
    const method = 'basic'
    if ('retryAfter' in answer) {
      audit.record('login.limited', { ...from, user: '', details: { method } })
      return answer
    }
    const fields = {
      method: request.method,
      path: pathOf(request),
      request_id: request.id,
      remote_ip: address,
    }
    if (answer.kind === 'refused') {
      log.error(fields, `Unsuccessful 1FA authentication attempt by user '${answer.name}'`)
      const about = { ...from, user: answer.name }
      const { banned, reason } = answer
      if (banned) audit.record('login.banned', { ...about, details: { method } })
      else audit.record('login.failed', { ...about, details: { method, reason } })
      // The same number for whatever was wrong: it is the address's own.
      const retryAfter = await throttle.retryAfter(address)
      await throttle.delay.hold(answer.began, request.raw.socket)
      return { retryAfter }
    }
    throttle.delay.succeeded(clock.monotonic() - answer.began)
    cache.keep(credentials, answer.profile.name)
    log.debug(fields, `Successful 1FA authentication attempt made by user '${answer.profile.name}'`)
    return answer.profile
  }

  return {
    async check(walk, hasSession, request) {
      let last: Challenge | undefined
      for (const { strategy, header, cache } of list) {
        last = header?.challenge
        if (header === undefined) {
          // CookieSession: who has a session is known by now, and the strategies behind are not asked.
          if (hasSession) return { kind: 'nothing', challenge: undefined }
          continue
        }
        const found = isRepeated(walk, strategy)
          ? ({ kind: 'broken' } as const)
          : header.find(walk.fields, walk.query)
        const { challenge } = header
        if (found.kind === 'nothing') continue
        if (found.kind === 'broken') return { kind: 'refused', challenge }
        const profile = await authenticate(walk, found.credentials, cache, request)
        return 'retryAfter' in profile
          ? { kind: 'refused', challenge, retryAfter: profile.retryAfter }
          : { kind: 'accepted', profile, challenge }
      }
      return { kind: 'nothing', challenge: last }
    },
  }
}

/** Two credentials in one request: nobody can say which one was meant. */
const isRepeated = ({ fields }: Walk, { name }: Strategy): boolean =>
  (fields.repeated &
    (name === 'HeaderAuthorization'
      ? FIELD.authorization
      : FIELD.proxyAuthorization | FIELD.authorization)) !==
  0
