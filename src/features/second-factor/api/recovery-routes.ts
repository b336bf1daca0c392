import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { readJson } from '../../../http/json-body.ts'
import { AppError } from '../../../kernel/errors.ts'
import { ownerOf } from '../../portal/index.ts'
import { type ApiServices, iso, ok, redirectFor, targetFields, wrong } from './services.ts'

const CodeBody = z.object({ code: z.string().min(1).max(64), ...targetFields })

/** Recovery codes. Authelia has none. */
export const recoveryRoutes: FastifyPluginAsync<{ readonly services: ApiServices }> = async (
  app,
  { services },
) => {
  const { secondFactor } = services
  const { recoveryCodes } = secondFactor
  const path = '/api/secondfactor/recovery-codes'

  app.get(path, { config: { guard: 'user' } }, async (request, reply) => {
    const status = await recoveryCodes.status(ownerOf(request).session.user)
    if (status === undefined) throw new AppError('NOT_FOUND')
    const { remaining, createdAt } = status
    return ok(services, reply, { remaining, created_at: iso(createdAt) })
  })

  app.post(path, { config: { guard: 'elevated' } }, async (request, reply) => {
    const { user } = ownerOf(request).session
    if (!(await secondFactor.hasFactor(user))) throw new AppError('FACTOR_MISSING')
    const codes = await recoveryCodes.generate(user)
    await secondFactor.enrolled(request, 'recovery-code')
    return ok(services, reply, { codes })
  })

  app.delete(path, { config: { guard: 'elevated' } }, async (request, reply) => {
    if (!(await recoveryCodes.remove(ownerOf(request).session.user)))
      throw new AppError('NOT_FOUND')
    await secondFactor.removed(request, 'recovery-code')
    return ok(services, reply)
  })

  app.post(
    '/api/secondfactor/recovery-code',
    { config: { guard: 'user' } },
    async (request, reply) => {
      const body = readJson(request.body, CodeBody)
      const trust = secondFactor.trusted.prepare(request, body.trustDevice === true)
      const shown = await secondFactor.show.recoveryCode(request, reply, body.code)
      if (shown === undefined) return wrong(services, reply)
      const { identity, remaining } = shown
      await trust(reply, identity.session)
      const redirect = await redirectFor(services, request, identity, body)
      return ok(services, reply, { remaining, ...redirect })
    },
  )
}
