import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { parseJson, takeTextBodies } from '../../../../http/json-body.ts'
import { koBody, okBody } from '../../../../http/replies.ts'
import type { Access } from '../../../access/index.ts'
import {
  contextOf,
  createJudge,
  type Interactions,
  ownerOf,
  portalContexts,
} from '../../../portal/index.ts'
import type { FactorKind, Identity } from '../../../sessions/index.ts'
import type { TrustedDevices } from '../../trusted-devices.ts'
import {
  type CredentialRoutesOptions,
  credentialRoutes,
  type SharedEnrolment,
} from './credential-routes.ts'
import { webauthnMethod } from './method.ts'
import { BODY_LIMIT, carriedOf, FAILED, MAX_PARTS, RETRY, redirectTo, Target } from './requests.ts'
import { AssertionResponse } from './responses.ts'

/** What all second factors share, as far as keys need it (`SecondFactor` of ../../method.ts). */
export interface SharedFactor extends SharedEnrolment {
  /** Counts a wrong answer before it is looked at, and takes it back when it was right. */
  attempt<T>(user: string, check: () => Promise<T | undefined>): Promise<T | undefined>
  /** Raises the session of the request, and sets its new cookie. */
  pass(
    request: FastifyRequest,
    reply: FastifyReply,
    factor: FactorKind,
    isStillThere: () => Promise<boolean>,
  ): Promise<Identity>
  /** Writes the log and the audit trail. */
  fail(request: FastifyRequest, factor: FactorKind): void
  readonly trusted: Pick<TrustedDevices, 'prepare'>
}

export interface WebauthnRoutesOptions extends CredentialRoutesOptions {
  readonly secondFactor: SharedFactor
  readonly access: Access
  readonly interactions: Interactions | undefined
}

const AssertionBody = Target.extend({
  response: AssertionResponse,
  trustDevice: z.boolean().nullish(),
})

/** Keys as a second factor, with Authelia's paths, bodies and statuses. */
export const webauthnRoutes: FastifyPluginAsync<WebauthnRoutesOptions> = async (app, options) => {
  const { webauthn, secondFactor, access, replies } = options
  if (!webauthn.isOn) return
  const judge = createJudge(options)
  await app.register(portalContexts, options)
  takeTextBodies(app, BODY_LIMIT)
  const ko = (reply: FastifyReply, status: number, message: string = FAILED) =>
    replies.json(reply, koBody(message), status)
  const method = webauthnMethod(options)
  await app.register(credentialRoutes, options)

  for (const [method, url] of [
    ['GET', '/api/secondfactor/webauthn'],
    // The answer to this one elevates the session, and goes to `/api/user/session/elevation`.
    ['POST', '/api/user/session/elevation/webauthn'],
  ] as const)
    app.route({
      ...{ method, url, config: { guard: 'user' } },
      async handler(request, reply) {
        const asked = await webauthn.beginAssertion(ownerOf(request), contextOf(request).domain)
        return asked === undefined ? ko(reply, 403) : replies.json(reply, okBody(asked))
      },
    })

  app.post('/api/secondfactor/webauthn', { config: { guard: 'user' } }, async (request, reply) => {
    const owner = ownerOf(request)
    const context = contextOf(request)
    const body = AssertionBody.safeParse(parseJson(request.body, MAX_PARTS)).data
    if (body === undefined) return ko(reply, 400, RETRY)
    const trust = secondFactor.trusted.prepare(request, body.trustDevice === true)
    const shown = await secondFactor.attempt(owner.profile.name, () =>
      method.verify(request, body.response),
    )
    if (shown === undefined) {
      secondFactor.fail(request, 'webauthn')
      return ko(reply, 403, RETRY)
    }
    const identity = await secondFactor.pass(request, reply, shown.factor, shown.isStillThere)
    await trust(reply, identity.session)
    const destination = await judge(carriedOf(body), { address: context.address, identity })
    const redirect = redirectTo(destination, identity.session, context, access)
    return replies.json(reply, okBody(redirect === undefined ? undefined : { redirect }))
  })
}
