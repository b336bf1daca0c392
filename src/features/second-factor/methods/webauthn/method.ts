import type { FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Audit } from '../../../audit/index.ts'
import { contextOf, logFieldsOf, ownerOf } from '../../../portal/index.ts'
import type { CookieDomain, FactorKind } from '../../../sessions/index.ts'
import type { NotShown } from './proofs.ts'
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
   * Whether a key of the owner of the request's session has answered. Why not is written down, and that there may be a copy
   * of the key.
   * @returns what was shown; undefined: it is not right
   */
  verify(
    request: FastifyRequest,
    proof: unknown,
  ): Promise<{ readonly factor: FactorKind; isStillThere(): Promise<boolean> } | undefined>
}

export function webauthnMethod({
  webauthn,
  audit,
  log,
}: {
  readonly webauthn: Webauthn
  readonly audit: Pick<Audit, 'record'>
  readonly log: Pick<Logger, 'info'>
}): WebauthnMethod {
  const refused = (request: FastifyRequest, { refused: reason, cloned }: NotShown): void => {
    log.info({ ...logFieldsOf(request), reason }, 'the answer of a security key was refused')
    if (cloned === undefined) return
    const { address, userAgent } = contextOf(request)
    audit.record('webauthn.cloned', {
      ...{ user: cloned.user, actor: 'unknown', address, userAgent, requestId: request.id },
      details: { key: cloned.name },
    })
  }
  return {
    name: 'webauthn',
    factor: 'webauthn',
    isRegistered: webauthn.isRegistered,
    remove: webauthn.removeAll,
    async verify(request, proof) {
      const response = AssertionResponse.safeParse(proof).data
      if (response === undefined) return undefined
      const { domain } = contextOf(request)
      const shown = await webauthn.assert(ownerOf(request), domain, response)
      if ('refused' in shown) {
        refused(request, shown)
        return undefined
      }
      const { factor, credential } = shown
      return {
        factor,
        isStillThere: async () =>
          (await webauthn.list(credential.user)).some(({ id }) => id === credential.id),
      }
    },
  }
}
