import type { FastifyPluginAsync } from 'fastify'
import { takeTextBodies } from '../../http/json-body.ts'
import { okBody } from '../../http/replies.ts'
import { AppError } from '../../kernel/errors.ts'
import type { KnownDevice } from '../throttle/index.ts'
import { BODY_LIMIT, type Portal } from './portal.ts'

/** A person's own known devices: browsers that strangers' bans do not stop. */
export const deviceRoutes: FastifyPluginAsync<{ readonly portal: Portal }> = async (
  app,
  { portal: { throttle, replies, visitOf } },
) => {
  const { devices } = throttle
  takeTextBodies(app, BODY_LIMIT)
  const config = { guard: 'user' } as const
  const nameOf = (request: Parameters<typeof visitOf>[0]): string => {
    const { identity } = visitOf(request)
    if (identity === undefined) throw new AppError('SIGN_IN_REQUIRED')
    return identity.profile.name
  }

  app.get('/api/user/devices', { config }, async (request, reply) => {
    const here = new Set((await devices.recognise(visitOf(request).devices)).map(({ id }) => id))
    const shown = ({ id, address, userAgent, createdAt, lastSeen, expiresAt }: KnownDevice) => ({
      id,
      address,
      user_agent: userAgent,
      created_at: new Date(createdAt).toISOString(),
      last_seen: new Date(lastSeen).toISOString(),
      expires_at: new Date(expiresAt).toISOString(),
      current: here.has(id),
    })
    return replies.json(reply, okBody((await devices.list(nameOf(request))).map(shown)))
  })

  app.delete<{ Params: { id: string } }>(
    '/api/user/devices/:id',
    { config },
    async (request, reply) => {
      if (!(await devices.revoke(request.params.id, nameOf(request))))
        throw new AppError('NOT_FOUND')
      return replies.json(reply, okBody())
    },
  )

  app.delete('/api/user/devices', { config }, async (request, reply) => {
    const revoked = await devices.revokeUser(nameOf(request))
    return replies.json(reply, okBody({ revoked }))
  })
}
