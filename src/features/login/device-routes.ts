import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { takeTextBodies } from '../../http/json-body.ts'
import { okBody } from '../../http/replies.ts'
import { AppError } from '../../kernel/errors.ts'
import { contextOf, FORM_LIMIT, ownerOf } from '../portal/index.ts'
import type { KnownDevice } from '../throttle/index.ts'
import type { LoginServices } from './services.ts'

const isoOf = (time: number | undefined): string | null =>
  time === undefined ? null : new Date(time).toISOString()

/** The user's own known devices: browsers in which a ban for other clients' failures does not hold. */
export const deviceRoutes: FastifyPluginAsync<{ readonly services: LoginServices }> = async (
  app,
  { services: { throttle, trusted, replies } },
) => {
  const { devices } = throttle
  takeTextBodies(app, FORM_LIMIT)
  const config = { guard: 'user' } as const
  const nameOf = (request: FastifyRequest): string => ownerOf(request).profile.name
  const actorOf = (request: FastifyRequest) => `user:${nameOf(request)}` as const

  app.get('/api/user/devices', { config }, async (request, reply) => {
    const here = new Set((await devices.recognise(contextOf(request).devices)).map(({ id }) => id))
    const until = new Map(
      (await trusted.list(nameOf(request))).map((one) => [one.device.id, one.until]),
    )
    const shown = ({ id, address, userAgent, createdAt, lastSeen, expiresAt }: KnownDevice) => ({
      id,
      address,
      user_agent: userAgent,
      created_at: new Date(createdAt).toISOString(),
      last_seen: new Date(lastSeen).toISOString(),
      expires_at: new Date(expiresAt).toISOString(),
      current: here.has(id),
      trusted_until: isoOf(until.get(id)),
    })
    return replies.json(reply, okBody((await devices.list(nameOf(request))).map(shown)))
  })

  app.delete<{ Params: { id: string } }>(
    '/api/user/devices/:id',
    { config },
    async (request, reply) => {
      const by = { user: nameOf(request), actor: actorOf(request) }
      if (!(await devices.revoke(request.params.id, by))) throw new AppError('NOT_FOUND')
      return replies.json(reply, okBody())
    },
  )

  app.delete('/api/user/devices', { config }, async (request, reply) => {
    const revoked = await devices.revokeUser(nameOf(request), actorOf(request))
    return replies.json(reply, okBody({ revoked }))
  })
}
