import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Messages } from '../../../http/messages.ts'
import { koBody, okBody, type Replies } from '../../../http/replies.ts'
import type { Access } from '../../access/index.ts'
import type { Audit } from '../../audit/index.ts'
import {
  contextOf,
  createJudge,
  type Interactions,
  type Judge,
  NOTHING_CARRIED,
  type PortalContextsOptions,
} from '../../portal/index.ts'
import type { Identity } from '../../sessions/index.ts'
import type { Throttle } from '../../throttle/index.ts'
import type { ElevatedSessionSettings } from '../manifest.ts'
import type { SecondFactor } from '../method.ts'

export interface SecondFactorRoutesOptions extends PortalContextsOptions {
  readonly secondFactor: SecondFactor
  readonly audit: Pick<Audit, 'record'>
  readonly access: Access
  readonly throttle: Throttle
  readonly replies: Replies
  readonly messages: Messages
  /** Undefined where there is no OpenID provider. */
  readonly interactions: Interactions | undefined
  /** Base path without a slash at its end; empty at the root. */
  readonly base: string
  /** Where a user who has forgotten the password goes; undefined: nowhere. */
  readonly forgotten: string | undefined
  readonly config: { readonly 'identity_validation.elevated_session': ElevatedSessionSettings }
}

export interface ApiServices extends SecondFactorRoutesOptions {
  readonly judge: Judge
}

export const createApiServices = (options: SecondFactorRoutesOptions): ApiServices => ({
  ...options,
  judge: createJudge(options),
})

/** Where the user wants to go; what else Authelia's clients send is not read. */
export const targetFields = {
  targetURL: z.string().nullish(),
  requestMethod: z.string().nullish(),
  /** Where `second_factor.trusted_device` allows it; elsewhere it has no effect. */
  trustDevice: z.boolean().nullish(),
}

interface Target {
  readonly targetURL?: string | null | undefined
  readonly requestMethod?: string | null | undefined
}

/** Where a script is told to go on to, at the level of this identity; undefined is a plain OK. */
export async function redirectFor(
  { judge }: Pick<ApiServices, 'judge'>,
  request: FastifyRequest,
  identity: Identity,
  { targetURL, requestMethod }: Target,
): Promise<{ readonly redirect: string } | undefined> {
  const { address, domain } = contextOf(request)
  const destination = await judge(
    { ...NOTHING_CARRIED, rd: targetURL ?? '', rm: requestMethod ?? '' },
    { address, identity },
  )
  switch (destination.kind) {
    case 'none':
    case 'unsafe': {
      const url = domain.defaultRedirectionUrl
      return url === undefined ? undefined : { redirect: url }
    }
    case 'safe':
    case 'interaction':
      return destination.outcome === 'two_factor' ? undefined : { redirect: destination.url }
    default:
      return destination satisfies never
  }
}

/** Authelia's sentence for every second factor that was not right. */
export const wrong = ({ replies }: Pick<ApiServices, 'replies'>, reply: FastifyReply) =>
  replies.json(reply, koBody('Authentication failed, please retry later.'), 403)

export const ok = (
  { replies }: Pick<ApiServices, 'replies'>,
  reply: FastifyReply,
  data?: unknown,
) => replies.json(reply, okBody(data))

export const iso = (time: number): string => new Date(time).toISOString()
