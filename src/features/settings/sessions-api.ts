import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { okBody } from '../../http/replies.ts'
import { AppError } from '../../kernel/errors.ts'
import { contextOf, forgetHere, ownerOf } from '../portal/index.ts'
import type { Ended } from './own-sessions.ts'
import type { SettingsServices } from './services.ts'

/** As many as an answer holds, newest first. */
const MAX_LISTED = 1000

/** What scripts may know and do of their owner's sessions. Never a store key, let alone a cookie's value. */
export const sessionsApi: FastifyPluginAsync<{ readonly services: SettingsServices }> = async (
  app,
  { services },
) => {
  const { own, replies, audit, sessions } = services
  // Nothing here has a body; what comes in one is not read.
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'string', bodyLimit: 1024 }, (_, __, done) =>
    done(null, undefined),
  )

  app.get('/api/user/sessions', { config: { guard: 'user' } }, async (request, reply) => {
    const found = await own.list(ownerOf(request))
    return replies.json(
      reply,
      okBody(
        found.slice(0, MAX_LISTED).map(({ session, current, linked, browser, system, device }) => ({
          id: session.id,
          current,
          domain: session.domain,
          linked_domains: linked,
          browser: browser ?? '',
          system: system ?? '',
          device: device ?? '',
          address: session.address,
          created: iso(session.createdAt),
          last_seen: iso(session.lastSeen),
          expires: iso(session.expiresAt),
          remembered: session.remembered,
        })),
      ),
    )
  })

  app.delete<{ Params: { id: string } }>(
    '/api/user/sessions/:id',
    { config: { guard: 'user' } },
    async (request, reply) => {
      const ended = await own.end(ownerOf(request), request.params.id)
      if (ended === undefined) throw new AppError('NOT_FOUND')
      note(request, ended)
      if (ended.current) {
        forgetHere(reply, services)
        reply.header('Set-Cookie', sessions.expireCookie(contextOf(request).domain))
      }
      return replies.json(reply, okBody({ ended: ended.count }))
    },
  )

  app.delete('/api/user/sessions', { config: { guard: 'user' } }, async (request, reply) => {
    const ended = await own.endOthers(ownerOf(request))
    note(request, ended)
    return replies.json(reply, okBody({ ended: ended.count }))
  })

  const note = (request: FastifyRequest, { count }: Ended): void => {
    if (count === 0) return
    const { address, userAgent } = contextOf(request)
    const { user } = ownerOf(request).session
    audit.record('session.revoked', {
      ...{ user, actor: `user:${user}`, address, userAgent, requestId: request.id },
      details: { sessions: count, reason: 'asked' },
    })
  }
}

const iso = (time: number): string => new Date(time).toISOString()
