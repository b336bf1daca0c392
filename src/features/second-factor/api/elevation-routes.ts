import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { readJson } from '../../../http/json-body.ts'
import { koBody } from '../../../http/replies.ts'
import { contextOf, ownerOf } from '../../portal/index.ts'
import { hasFactor, levelOf } from '../../sessions/index.ts'
import type { ElevationMethod } from '../method.ts'
import { revokeMailedCode } from '../revoke.ts'
import { type ApiServices, ok } from './services.ts'

/** The longest password that a sign-in takes. */
const MAX_PASSWORD = 1024

/** One of them. What Authelia's clients send, `otc`, is the code of a mail. */
const ProofBody = z.union([
  z.object({ otc: z.string().min(1).max(20) }),
  z.object({ password: z.string().min(1).max(MAX_PASSWORD) }),
  z.object({ totp: z.string().regex(/^(?:\d{6}|\d{8})$/) }),
  z.object({ recovery_code: z.string().min(1).max(64) }),
  z.object({ webauthn: z.record(z.string(), z.unknown()) }),
])
type Proof = z.infer<typeof ProofBody>

/** How the owner of a session proves that they are present, with Authelia's paths and bodies. */
export const elevationRoutes: FastifyPluginAsync<{ readonly services: ApiServices }> = async (
  app,
  { services },
) => {
  const { secondFactor, clock, config } = services
  const { elevation } = secondFactor
  const path = '/api/user/session/elevation'

  app.get(path, { config: { guard: 'user' } }, async (request, reply) => {
    const identity = ownerOf(request)
    const { domain } = contextOf(request)
    const until = await elevation.until(identity)
    const methods = await elevation.methods(identity, domain)
    const needs = await elevation.needsSecondFactor(identity)
    const { require_second_factor: required, skip_second_factor: skips } =
      config['identity_validation.elevated_session']
    return ok(services, reply, {
      require_second_factor: required && needs,
      skip_second_factor: skips && levelOf(identity.session) === 2,
      can_skip_second_factor: skips && needs,
      factor_knowledge: hasFactor(identity.session, 'password'),
      elevated: until !== undefined,
      expires: until === undefined ? 0 : Math.max(0, Math.floor((until - clock.now()) / 1000)),
      methods,
    })
  })

  app.post(path, { config: { guard: 'user' } }, async (request, reply) => {
    const offered = await elevation.methods(ownerOf(request), contextOf(request).domain)
    const id = offered.includes('mail') ? await secondFactor.mailedCodes?.send(request) : undefined
    return id === undefined ? failed(services, reply) : ok(services, reply, { delete_id: id })
  })

  // The id is proof enough: it is told to the session that asked for the code, and in the mail.
  app.delete(`${path}/:id`, { config: { guard: 'public' } }, async (request, reply) => {
    const { id } = Revoked.parse(request.params)
    const isRevoked = await revokeMailedCode(services, request, id)
    return isRevoked ? ok(services, reply) : services.replies.json(reply, koBody(FAILED), 200)
  })

  app.put(path, { config: { guard: 'user', delayed: 'checked' } }, async (request, reply) => {
    const proof = readJson(request.body, ProofBody)
    const elevated = await elevate(services, request, reply, proof)
    return elevated ? ok(services, reply) : failed(services, reply)
  })
}

const FAILED = 'Operation failed.'
const Revoked = z.object({ id: z.string() })

const failed = ({ replies }: ApiServices, reply: FastifyReply) =>
  replies.json(reply, koBody(FAILED), 403)

/** @returns false: it was not right, or such a proof does not elevate this session */
async function elevate(
  { secondFactor }: ApiServices,
  request: FastifyRequest,
  reply: FastifyReply,
  proof: Proof,
): Promise<boolean> {
  const { show, elevation } = secondFactor
  const identity = ownerOf(request)
  const offered = await elevation.methods(identity, contextOf(request).domain)
  const offers = (method: ElevationMethod) => offered.includes(method)
  if ('password' in proof) {
    if (!offers('password') || !(await show.password(request, reply, proof.password))) return false
    // Of a user with a factor who signed in without the password: it is the second one.
    const asks = await elevation.needsSecondFactor(identity)
    const shown = asks ? await secondFactor.pass(request, reply, 'password') : identity
    await elevation.grant(request, reply, shown, 'password')
    return true
  }
  if ('totp' in proof) {
    if (!offers('totp')) return false
    const shown = await show.totp(request, reply, proof.totp)
    if (shown !== undefined) await elevation.grant(request, reply, shown, 'totp')
    return shown !== undefined
  }
  if ('recovery_code' in proof) {
    if (!offers('recovery_code')) return false
    const shown = await show.recoveryCode(request, reply, proof.recovery_code)
    if (shown !== undefined) await elevation.grant(request, reply, shown.identity, 'recovery_code')
    return shown !== undefined
  }
  if ('otc' in proof) {
    if (!offers('mail') || !(await show.mailedCode(request, proof.otc))) return false
    await elevation.grant(request, reply, identity, 'mail')
    return true
  }
  if ('webauthn' in proof && offers('webauthn')) {
    const method = secondFactor.methods.find(({ name }) => name === 'webauthn')
    const answer = await secondFactor.attempt(identity.session.user, async () =>
      method?.verify?.(request, proof.webauthn),
    )
    if (answer === undefined) {
      secondFactor.fail(request, 'webauthn')
      return false
    }
    const shown = await secondFactor.pass(request, reply, answer.factor, answer.isStillThere)
    await elevation.grant(request, reply, shown, 'webauthn')
    return true
  }
  return false
}
