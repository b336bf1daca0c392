import type { FastifyRequest } from 'fastify'
import type { Audit } from '../audit/index.ts'
import { contextOf } from '../portal/index.ts'
import type { SecondFactor } from './method.ts'

/** Ids are 22 characters; a longer one is none. */
const MAX_ID = 64

/**
 * Makes a mailed code worth nothing. The id, which the mail has, is proof enough.
 * @returns false: there is none, or it was used or is over
 */
export async function revokeMailedCode(
  {
    secondFactor,
    audit,
  }: {
    readonly secondFactor: Pick<SecondFactor, 'mailedCodes'>
    readonly audit: Pick<Audit, 'record'>
  },
  request: FastifyRequest,
  id: string,
): Promise<boolean> {
  const user = id.length > MAX_ID ? undefined : await secondFactor.mailedCodes?.revoke(id)
  if (user === undefined) return false
  const { address, userAgent } = contextOf(request)
  audit.record('elevation.revoked', {
    ...{ user, actor: 'unknown', address, userAgent, requestId: request.id },
  })
  return true
}
