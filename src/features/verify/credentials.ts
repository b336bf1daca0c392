import type { FastifyRequest } from 'fastify'
import type { Profile } from '../users/index.ts'
import { attemptBasic, type BasicAttemptOptions, type BasicRefused } from './basic-attempt.ts'
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

/** Credentials in headers: Basic for programs that can't sign in at the portal. */
export interface Credentials {
  /** @throws AppError HASHING_BUSY, STORE_UNAVAILABLE */
  check(walk: Walk, hasSession: boolean, request: FastifyRequest): Promise<Outcome>
}

/** Strategies are an endpoint's own, and so is what it remembers. */
export function createCredentials(
  { strategies }: Endpoint,
  options: BasicAttemptOptions,
): Credentials {
  const { users, clock } = options
  const list = strategies.map((strategy) => ({
    strategy,
    header: headerStrategy(strategy),
    cache: createBasicCache(strategy.cacheLifespan, clock),
  }))
  users.onInvalidated((names) => {
    for (const { cache } of list) for (const name of names) cache.forget(name)
  })

  const authenticate = async (
    walk: Walk,
    credentials: Basic,
    cache: BasicCache,
    request: FastifyRequest,
  ): Promise<Profile | BasicRefused> => {
    const remembered = cache.recall(credentials)
    const known = remembered === undefined ? undefined : await users.profile(remembered)
    if (known !== undefined) return known
    const answer = await attemptBasic(options, credentials, walk.target.address, request)
    if (!('retryAfter' in answer)) cache.keep(credentials, answer.name)
    return answer
  }

  return {
    async check(walk, hasSession, request) {
      let last: Challenge | undefined
      for (const { strategy, header, cache } of list) {
        last = header?.challenge
        if (header === undefined) {
          // CookieSession: with a session the user is known by now, and the strategies behind are not asked.
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

/** Two credentials in one request are ambiguous. */
const isRepeated = ({ fields }: Walk, { name }: Strategy): boolean =>
  (fields.repeated &
    (name === 'HeaderAuthorization'
      ? FIELD.authorization
      : FIELD.proxyAuthorization | FIELD.authorization)) !==
  0
