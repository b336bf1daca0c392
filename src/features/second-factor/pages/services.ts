import type { FastifyRequest } from 'fastify'
import type { Messages } from '../../../http/messages.ts'
import type { Replies } from '../../../http/replies.ts'
import type { Audit } from '../../audit/index.ts'
import {
  type Carried,
  contextOf,
  createRendering,
  formDestinations,
  ownerOf,
  type PortalContextsOptions,
  type Rendering,
  readCarried,
  withCarried,
} from '../../portal/index.ts'
import type { CookieDomain, Identity } from '../../sessions/index.ts'
import type { Throttle } from '../../throttle/index.ts'
import type { SecondFactor } from '../method.ts'

/** Where a factor is enrolled. */
export const ENROL = '/second-factor/enrol'
/** Where recovery codes are made. */
export const RECOVERY_CODES = '/second-factor/recovery-codes'

export interface SecondFactorPagesOptions extends PortalContextsOptions {
  readonly secondFactor: SecondFactor
  readonly throttle: Pick<Throttle, 'delay' | 'queue'>
  readonly audit: Pick<Audit, 'record'>
  readonly replies: Replies
  readonly messages: Messages
  /** Base path without a slash at its end; empty at the root. */
  readonly base: string
}

/** What the pages of this folder share. */
export interface PageServices extends SecondFactorPagesOptions, Rendering {
  /** For pages whose form may end at an app. */
  readonly formAction: readonly string[]
  /** Where a page leads when its part is done: the flow decides what comes next. */
  onward(carried: Carried): string
  /** Where it goes on when a factor is set up: to the settings, or where the user wanted to go. */
  finished(carried: Carried): string
}

export function createPageServices(options: SecondFactorPagesOptions): PageServices {
  const { base, sessions } = options
  const domains = sessions.domains.map(({ domain }) => domain)
  // As after a sign-in: whether the browser kept the new cookie is looked at, and the hub is told.
  const onward = (carried: Carried) => withCarried(`${base}/`, carried, { 'signed-in': '' })
  return {
    ...options,
    ...createRendering(options),
    formAction: formDestinations(domains, undefined),
    onward,
    finished: (carried) =>
      carried.rd === '' && carried.interaction === ''
        ? `${base}/settings/factors?added=`
        : onward(carried),
  }
}

/** The facts of a request by a user who is signed in. */
export interface Asked {
  readonly identity: Identity
  /** Canonical name. */
  readonly user: string
  readonly domain: CookieDomain
  readonly carried: Carried
  /** Names in the query. */
  readonly flags: ReadonlySet<string>
}

/** @throws AppError SIGN_IN_REQUIRED */
export function askedBy(request: FastifyRequest): Asked {
  const identity = ownerOf(request)
  return {
    identity,
    user: identity.profile.name,
    domain: contextOf(request).domain,
    carried: readCarried(request.query),
    // Fastify's parser gives an object for every query.
    flags: new Set(Object.keys(request.query as object)),
  }
}
