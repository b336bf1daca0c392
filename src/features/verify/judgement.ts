import type { FastifyRequest } from 'fastify'
import type { Decision } from '../access/index.ts'
import type { Identity } from '../sessions/index.ts'
import type { Profile } from '../users/index.ts'
import type { Credentials } from './credentials.ts'
import type { Challenge } from './strategies/index.ts'
import { userOf, type Walk } from './walk.ts'
import type { Walker } from './walker.ts'

/** What verify says to one request: computed once (`judge`), and then written once (answer.ts). */
export type Judgement = { readonly kind: 'allow'; readonly profile: Profile | undefined } | Refused

export interface Refused {
  readonly kind: 'refuse'
  readonly decision: Decision
  readonly profile: Profile | undefined
  /** Where a header strategy had the last word. */
  readonly challenge: Challenge | undefined
  /** The credentials in a header were refused. */
  readonly wrong: boolean
  /** Seconds; sent where it is known. */
  readonly retryAfter: number | undefined
}

/** Headers are looked at only for a request that the rules do not let through on the cookie alone. */
export function judge(
  walker: Walker,
  credentials: Credentials,
  walk: Walk,
  identity: Identity | undefined,
  request: FastifyRequest,
): Judgement | Promise<Judgement> {
  const decision = walker.decide(walk, userOf(identity))
  if (decision.kind === 'allow') return { kind: 'allow', profile: identity?.profile }
  return judgeCredentials(walker, credentials, walk, { identity, decision }, request)
}

async function judgeCredentials(
  walker: Walker,
  credentials: Credentials,
  walk: Walk,
  cookie: { readonly identity: Identity | undefined; readonly decision: Decision },
  request: FastifyRequest,
): Promise<Judgement> {
  const outcome = await credentials.check(walk, cookie.identity !== undefined, request)
  const { challenge } = outcome
  switch (outcome.kind) {
    case 'nothing':
      return forbidden(cookie.decision, cookie.identity?.profile, challenge)
    case 'refused':
      return {
        kind: 'refuse',
        decision: cookie.decision,
        profile: undefined,
        challenge,
        wrong: true,
        retryAfter: outcome.retryAfter,
      }
    case 'accepted': {
      const { profile } = outcome
      const decision = walker.decide(walk, { profile, level: 1 })
      if (decision.kind === 'allow') return { kind: 'allow', profile }
      return forbidden(decision, profile, challenge)
    }
    default:
      return outcome satisfies never
  }
}

const forbidden = (
  decision: Decision,
  profile: Profile | undefined,
  challenge: Challenge | undefined,
): Refused => ({
  kind: 'refuse',
  decision,
  profile,
  // A deny is a deny: other credentials would not change it.
  challenge: decision.kind === 'deny' ? undefined : challenge,
  wrong: false,
  retryAfter: undefined,
})
