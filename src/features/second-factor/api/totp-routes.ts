import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { readJson } from '../../../http/json-body.ts'
import { AppError } from '../../../kernel/errors.ts'
import { ownerOf } from '../../portal/index.ts'
import { levelOf } from '../../sessions/index.ts'
import type { Totp, TotpConfig } from '../method.ts'
import { type ApiServices, iso, ok, redirectFor, targetFields, wrong } from './services.ts'

const token = z.string().regex(/^(?:\d{6}|\d{8})$/)
const CodeBody = z.object({ token, ...targetFields })
const ConfirmBody = z.object({ token })
const ChoiceBody = z.object({
  algorithm: z.enum(['SHA1', 'SHA256', 'SHA512']).optional(),
  length: z.literal([6, 8]).optional(),
  period: z.int().optional(),
})

/** One-time codes, with Authelia's paths, bodies and statuses. */
export const totpRoutes: FastifyPluginAsync<{
  readonly services: ApiServices
  readonly totp: Totp
}> = async (app, { services, totp }) => {
  const { secondFactor } = services
  const path = '/api/secondfactor/totp'

  app.get(path, { config: { guard: 'user' } }, async (request, reply) => {
    const config = await totp.config(ownerOf(request).session.user)
    if (config === undefined) throw new AppError('NOT_FOUND')
    return ok(services, reply, told(config))
  })

  app.post(path, { config: { guard: 'user' } }, async (request, reply) => {
    const body = readJson(request.body, CodeBody)
    const trust = secondFactor.trusted.prepare(request, body.trustDevice === true)
    const identity = await secondFactor.show.totp(request, reply, body.token)
    if (identity === undefined) return wrong(services, reply)
    await trust(reply, identity.session)
    return ok(services, reply, await redirectFor(services, request, identity, body))
  })

  app.delete(path, { config: { guard: 'elevated' } }, async (request, reply) => {
    if (!(await totp.remove(ownerOf(request).session.user))) throw new AppError('NOT_FOUND')
    await secondFactor.removed(request, 'totp')
    return ok(services, reply)
  })

  await app.register(enrolmentRoutes, { services, totp, path: `${path}/register` })
}

const enrolmentRoutes: FastifyPluginAsync<{
  readonly services: ApiServices
  readonly totp: Totp
  readonly path: string
}> = async (app, { services, totp, path }) => {
  const { secondFactor } = services

  app.get(path, { config: { guard: 'elevated' } }, (_request, reply) => {
    const { standard, algorithms, digits, periods } = totp.options
    return ok(services, reply, {
      ...{ algorithm: standard.algorithm, algorithms },
      ...{ length: standard.digits, lengths: digits },
      ...{ period: standard.period, periods },
    })
  })

  app.put(path, { config: { guard: 'elevated' } }, async (request, reply) => {
    const { algorithm, length, period } = readJson(request.body, ChoiceBody)
    const { session } = ownerOf(request)
    if (!(await secondFactor.mayEnrol(session.user))) throw new AppError('ENROLMENT_CLOSED')
    const begun = await totp.begin(session, session.user, {
      ...(algorithm !== undefined && { algorithm }),
      ...(length !== undefined && { digits: length }),
      ...(period !== undefined && { period }),
    })
    return ok(services, reply, { base32_secret: begun.secret, otpauth_url: begun.url })
  })

  app.post(path, { config: { guard: 'elevated' } }, async (request, reply) => {
    const body = readJson(request.body, ConfirmBody)
    const { session } = ownerOf(request)
    if (!(await totp.confirm(session, session.user, body.token))) return wrong(services, reply)
    await secondFactor.enrolled(request, 'totp')
    // The code that confirmed it was shown by the owner, and is used up.
    if (levelOf(session) === 1) await secondFactor.pass(request, reply, 'totp')
    return ok(services, reply)
  })

  app.delete(path, { config: { guard: 'elevated' } }, async (request, reply) => {
    const { session } = ownerOf(request)
    await totp.cancel(session, session.user)
    return ok(services, reply)
  })
}

const told = ({ createdAt, lastUsedAt, issuer, algorithm, digits, period }: TotpConfig) => ({
  created_at: iso(createdAt),
  ...(lastUsedAt !== undefined && { last_used_at: iso(lastUsedAt) }),
  ...{ issuer, algorithm, digits, period },
})
