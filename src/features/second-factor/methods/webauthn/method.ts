import type { FastifyRequest } from 'fastify'
import { contextOf, ownerOf } from '../../../portal/index.ts'
import type { CookieDomain, FactorKind } from '../../../sessions/index.ts'
import { AssertionResponse } from './responses.ts'
import type { Webauthn } from './webauthn.ts'

/** Keys as one of the methods of second factors (`Method` of ../../method.ts). */
export interface WebauthnMethod {
  readonly name: 'webauthn'
  readonly factor: FactorKind
  isRegistered(user: string, domain: CookieDomain): Promise<boolean>
  /** @returns how many keys were removed */
  remove(user: string): Promise<number>
  /**
   * Whether a key of the owner of the request's session has answered, to elevate the session.
   * @returns what was shown; undefined: it is not right
   */
  verify(request: FastifyRequest, proof: unknown): Promise<FactorKind | undefined>
}

export const webauthnMethod = (webauthn: Webauthn): WebauthnMethod => ({
  name: 'webauthn',
  factor: 'webauthn',
  isRegistered: webauthn.isRegistered,
  remove: webauthn.removeAll,
  async verify(request, proof) {
    const response = AssertionResponse.safeParse(proof).data
    if (response === undefined) return undefined
    const { domain } = contextOf(request)
    const shown = await webauthn.assert(ownerOf(request), domain, response)
    return 'refused' in shown ? undefined : shown.factor
  },
})
