import type { VerifyReason } from '../../kernel/verify-reasons.ts'
import type { Asked } from '../access/index.ts'
import { type CookieDomain, type Identity, levelOf } from '../sessions/index.ts'
import type { Profile } from '../users/index.ts'
import type { Endpoint } from './endpoints.ts'
import type { Fields } from './fields.ts'

/** What is known once a request was understood. */
export interface Walk extends Asked {
  readonly endpoint: Endpoint
  readonly fields: Fields
  /** The endpoint's own query, its first pairs; not the target's. */
  readonly query: URLSearchParams
  readonly domain: CookieDomain
  /** Undefined only where the dialect uses no configured one. */
  readonly portal: URL | undefined
  /** Why the cookies name no user; set where the log wants to know. */
  reason: VerifyReason | undefined
}

/** A user, and how many kinds of factors they have shown. */
export interface KnownUser {
  readonly profile: Profile
  readonly level: 1 | 2
}

/** A session's owner at the level of the session. */
export const userOf = (identity: Identity | undefined): KnownUser | undefined =>
  identity === undefined
    ? undefined
    : { profile: identity.profile, level: levelOf(identity.session) }
