import { z } from 'zod'
import type { Access } from '../../../access/index.ts'
import {
  type Carried,
  type Destination,
  type RequestContext,
  readCarried,
} from '../../../portal/index.ts'
import { levelOf, type Session } from '../../../sessions/index.ts'

/** Names, values and brackets of a body: the largest is what a browser sends of a new key. */
export const MAX_PARTS = 256
/** Bytes of a body. An attestation statement with its certificates has a few thousand. */
export const BODY_LIMIT = 128 * 1024

/** Authelia's one sentence for whatever was wrong. */
export const RETRY = 'Authentication failed, please retry later.'
export const FAILED = 'Operation failed.'

/** Where the user wants to go, in Authelia's names. */
export const Target = z.object({
  targetURL: z.string().max(16_384).nullish(),
  requestMethod: z.string().max(32).nullish(),
  flow: z.string().max(64).nullish(),
  flowID: z.string().max(64).nullish(),
})

export const carriedOf = ({
  targetURL,
  requestMethod,
  flow,
  flowID,
}: z.infer<typeof Target>): Carried =>
  readCarried({ rd: targetURL, rm: requestMethod, flow, flow_id: flowID })

/** Where a script is told to go; undefined is a plain OK, and the portal goes on. */
export function redirectTo(
  destination: Destination,
  session: Session,
  { domain }: Pick<RequestContext, 'domain'>,
  { needsTwoFactor }: Pick<Access, 'needsTwoFactor'>,
): string | undefined {
  const isComplete = levelOf(session) === 2
  switch (destination.kind) {
    case 'none':
    case 'unsafe':
      return isComplete || !needsTwoFactor ? domain.defaultRedirectionUrl : undefined
    case 'safe':
    case 'interaction':
      return destination.outcome === 'two_factor' ? undefined : destination.url
    default:
      return destination satisfies never
  }
}
