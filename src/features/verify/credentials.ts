import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { pathOf } from '../../http/replies.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Profile, Users } from '../users/index.ts'
import type { Endpoint } from './endpoints.ts'
import { FIELD } from './fields.ts'
import { type BasicCache, createBasicCache } from './strategies/basic-cache.ts'
import { type Challenge, headerStrategy, type Strategy } from './strategies/index.ts'
import type { Walk } from './walk.ts'

/** What the header strategies of an endpoint make of a request. */
export type Outcome =
  /** No header of ours; the challenge is there when a header strategy is the last one in the list. */
  | { readonly kind: 'nothing'; readonly challenge: Challenge | undefined }
  | { readonly kind: 'accepted'; readonly profile: Profile; readonly challenge: Challenge }
  | { readonly kind: 'refused'; readonly challenge: Challenge }

/** Credentials in headers: Basic for programs that can't sign in at the portal. */
export interface Credentials {
  /** @throws AppError HASHING_BUSY */
  check(walk: Walk, hasSession: boolean, request: FastifyRequest): Promise<Outcome>
}

/** Strategies are an endpoint's own, and so is what it remembers. */
export function createCredentials(
  { strategies }: Endpoint,
  { users, clock, log }: { readonly users: Users; readonly clock: Clock; readonly log: Logger },
): Credentials {
  const list = strategies.map((strategy) => ({
    strategy,
    header: headerStrategy(strategy),
    cache: createBasicCache(strategy.cacheLifespan, clock),
  }))
  users.onRemoved((names) => {
    for (const { cache } of list) for (const name of names) cache.forget(name)
  })

  const authenticate = async (
    walk: Walk,
    credentials: { readonly username: string; readonly password: string },
    cache: BasicCache,
    request: FastifyRequest,
  ): Promise<Profile | undefined> => {
    const remembered = cache.recall(credentials)
    const known = remembered === undefined ? undefined : await users.profile(remembered)
    if (known !== undefined) return known
    const { username, password } = credentials
    const answer = await users.authenticate(username, password, walk.target.address)
    const fields = {
      method: request.method,
      path: pathOf(request),
      request_id: request.id,
      remote_ip: walk.target.address,
    }
    if (answer.kind === 'refused') {
      log.error(fields, `Unsuccessful 1FA authentication attempt by user '${answer.name}'`)
      return undefined
    }
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
        return profile === undefined
          ? { kind: 'refused', challenge }
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
