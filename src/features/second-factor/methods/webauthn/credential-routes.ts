import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { z } from 'zod'
import { parseJson } from '../../../../http/json-body.ts'
import { koBody, okBody, type Replies } from '../../../../http/replies.ts'
import type { Audit } from '../../../audit/index.ts'
import {
  contextOf,
  logFieldsOf,
  ownerOf,
  type PortalContextsOptions,
} from '../../../portal/index.ts'
import type { FactorKind } from '../../../sessions/index.ts'
import { type Credential, CredentialId, CredentialName } from './credential.ts'
import { FAILED, MAX_PARTS } from './requests.ts'
import { RegistrationResponse } from './responses.ts'
import type { Webauthn } from './webauthn.ts'

/** What second factors share of enrolment, as far as keys need it. */
export interface SharedEnrolment {
  /** Whether the user may enrol a factor now. */
  mayEnrol(user: string): Promise<boolean>
  /** The owner of the request's session has registered a key. */
  enrolled(request: FastifyRequest, factor: FactorKind): Promise<void>
  /** The owner of the request's session has removed a key. */
  removed(request: FastifyRequest, factor: FactorKind): Promise<void>
}

export interface CredentialRoutesOptions extends PortalContextsOptions {
  readonly webauthn: Webauthn
  readonly secondFactor: SharedEnrolment
  readonly audit: Pick<Audit, 'record'>
  readonly replies: Replies
  readonly log: Logger
}

const Description = z.object({ description: CredentialName })
/** As the browser made it, or wrapped as the other bodies are. */
const RegistrationBody = z.union([
  RegistrationResponse,
  z.object({ response: RegistrationResponse }).transform(({ response }) => response),
])

/** A user's own keys: list, register, rename, remove. */
export const credentialRoutes: FastifyPluginAsync<CredentialRoutesOptions> = async (
  app,
  options,
) => {
  const { webauthn, secondFactor, audit, replies, log } = options
  const ko = (reply: FastifyReply, status: number) => replies.json(reply, koBody(FAILED), status)

  app.get(
    '/api/secondfactor/webauthn/credentials',
    { config: { guard: 'user' } },
    async (request, reply) => {
      const credentials = await webauthn.list(ownerOf(request).profile.name)
      return replies.json(reply, okBody(credentials.map(asAuthelia)))
    },
  )

  const register = '/api/secondfactor/webauthn/credential/register'
  app.put(register, { config: { guard: 'elevated' } }, async (request, reply) => {
    const owner = ownerOf(request)
    const body = Description.safeParse(parseJson(request.body, MAX_PARTS)).data
    if (body === undefined) return ko(reply, 400)
    if (!(await secondFactor.mayEnrol(owner.profile.name))) return ko(reply, 403)
    const { domain } = contextOf(request)
    const begun = await webauthn.beginRegistration(owner, domain, body.description)
    if (begun === 'name-taken') return ko(reply, 409)
    return begun === 'unusable' ? ko(reply, 403) : replies.json(reply, okBody(begun))
  })
  app.post(register, { config: { guard: 'elevated' } }, async (request, reply) => {
    const owner = ownerOf(request)
    const response = RegistrationBody.safeParse(parseJson(request.body, MAX_PARTS)).data
    if (response === undefined) return ko(reply, 400)
    if (!(await secondFactor.mayEnrol(owner.profile.name))) return ko(reply, 403)
    const registered = await webauthn.register(owner, contextOf(request).domain, response)
    if (registered === 'name-taken') return ko(reply, 409)
    if ('refused' in registered) {
      const reason = registered.refused
      log.info({ ...logFieldsOf(request), reason }, 'a security key was not registered')
      return ko(reply, 403)
    }
    await secondFactor.enrolled(request, 'webauthn')
    return replies.json(reply, okBody(), 201)
  })
  app.delete(register, { config: { guard: 'elevated' } }, async (request, reply) => {
    await webauthn.cancelRegistration(ownerOf(request), contextOf(request).domain)
    return replies.json(reply, okBody())
  })

  const one = '/api/secondfactor/webauthn/credential/:id'
  app.put(one, { config: { guard: 'elevated' } }, async (request, reply) => {
    const id = idOf(request)
    const body = Description.safeParse(parseJson(request.body, MAX_PARTS)).data
    if (body === undefined || id === undefined) return ko(reply, 400)
    const renamed = await webauthn.rename(ownerOf(request).profile.name, id, body.description)
    if (renamed !== 'renamed') return ko(reply, renamed === 'unknown' ? 403 : 409)
    const { address, userAgent } = contextOf(request)
    const { name: user } = ownerOf(request).profile
    audit.record('webauthn.renamed', {
      ...{ user, actor: `user:${user}`, address, userAgent, requestId: request.id },
      details: { key: body.description },
    })
    return replies.json(reply, okBody())
  })
  app.delete(one, { config: { guard: 'elevated' } }, async (request, reply) => {
    const id = idOf(request)
    if (id === undefined) return ko(reply, 400)
    const removed = await webauthn.remove(ownerOf(request).profile.name, id)
    if (removed === undefined) return ko(reply, 403)
    await secondFactor.removed(request, 'webauthn')
    return replies.json(reply, okBody())
  })
}

const Params = z.object({ id: CredentialId })

const idOf = (request: FastifyRequest): string | undefined =>
  Params.safeParse(request.params).data?.id

const time = (ms: number): string => new Date(ms).toISOString()

/** A key in Authelia's names. */
const asAuthelia = (credential: Credential): Readonly<Record<string, unknown>> => ({
  id: credential.id,
  created_at: time(credential.createdAt),
  ...(credential.lastUsedAt !== undefined && { last_used_at: time(credential.lastUsedAt) }),
  rpid: credential.rpId,
  description: credential.name,
  kid: credential.keyId,
  aaguid: credential.aaguid,
  attestation_type: credential.attestation,
  attachment: credential.attachment,
  transports: credential.transports,
  sign_count: credential.signCount,
  clone_warning: credential.cloneWarning,
  legacy: false,
  discoverable: credential.discoverable,
  // A key that was not touched is refused.
  present: true,
  verified: credential.verified,
  backup_eligible: credential.backupEligible,
  backup_state: credential.backedUp,
})
