import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { parseJson, takeTextBodies } from '../../http/json-body.ts'
import { koBody, okBody } from '../../http/replies.ts'
import { AppError } from '../../kernel/errors.ts'
import { contextOf, FORM_LIMIT } from '../portal/index.ts'
import { cookieValues } from '../sessions/index.ts'
import { grantCookieName } from './reset.ts'
import { MAX_PASSWORD, MAX_USERNAME, originOf, type ResetServices } from './services.ts'
import type { OpenReset } from './store.ts'

const StartBody = z.object({ username: z.string().max(MAX_USERNAME) })
const TokenBody = z.object({ token: z.string().max(8192) })
const PasswordBody = z.object({ password: z.string().max(MAX_PASSWORD) })

/** The bodies above have one name; other names are ignored. */
const MAX_PARTS = 64

/** One sentence for every token that is refused: what was wrong with it stands in the log. */
const FAILED = 'Operation failed'
const UNABLE = 'Unable to reset your password.'
const AGAINST_POLICY = 'Your supplied password does not meet the password policy requirements.'

/** Authelia's four calls. A refusal is `KO` with status 200, as there. */
export const apiRoutes: FastifyPluginAsync<{ readonly services: ResetServices }> = async (
  app,
  { services },
) => {
  const { reset, replies } = services
  const config = { guard: 'public' } as const
  takeTextBodies(app, FORM_LIMIT)
  const bodyOf = <T extends z.ZodType>(request: FastifyRequest, shape: T) =>
    shape.safeParse(parseJson(request.body, MAX_PARTS)).data
  const failed = (reply: FastifyReply, why = FAILED) => replies.json(reply, koBody(why))

  app.post('/api/reset-password/identity/start', { config }, async (request, reply) => {
    const body = bodyOf(request, StartBody)
    if (body === undefined) return failed(reply)
    const { devices } = contextOf(request)
    if (body.username !== '')
      await reset.ask({ ...originOf(request), devices, username: body.username })
    return replies.json(reply, okBody())
  })

  app.post('/api/reset-password/identity/finish', { config }, async (request, reply) => {
    const { token = '' } = bodyOf(request, TokenBody) ?? {}
    const cookie = await reset.exchange(token, originOf(request))
    if (cookie === undefined) return failed(reply)
    return replies.json(reply.header('Set-Cookie', cookie), okBody())
  })

  app.post('/api/reset-password', { config }, async (request, reply) => {
    const body = bodyOf(request, PasswordBody)
    if (body === undefined) return failed(reply, UNABLE)
    const found = await ownReset(services, request)
    if (found === undefined) return failed(reply, UNABLE)
    try {
      const done = await reset.complete(found, body.password, originOf(request))
      return done ? replies.json(reply, okBody()) : failed(reply, UNABLE)
    } catch (error) {
      if (!(error instanceof AppError)) throw error
      if (error.code === 'PASSWORD_WEAK' || error.code === 'PASSWORD_UNUSABLE')
        return failed(reply, AGAINST_POLICY)
      if (error.code === 'USERS_UNWRITABLE') return failed(reply, UNABLE)
      throw error
    }
  })

  app.delete('/api/reset-password', { config }, async (request, reply) => {
    const { token = '' } = bodyOf(request, TokenBody) ?? {}
    const revoked = await reset.revoke(token, originOf(request))
    return revoked ? replies.json(reply, okBody()) : failed(reply)
  })
}

/** A client sends few cookies of this name. */
const MAX_COOKIES = 8

/** Other hosts of the domain can plant the cookie of a reset of theirs: of several that live, none counts. */
async function ownReset({ reset }: ResetServices, request: FastifyRequest) {
  const { domain } = contextOf(request)
  const values: string[] = []
  cookieValues(request.headers.cookie ?? '', grantCookieName(domain), values, MAX_COOKIES)
  const open = new Map<string, OpenReset>()
  for (const value of values) {
    const found = await reset.ofGrant(value)
    if (found !== undefined) open.set(found.id, found)
  }
  const [only] = open.size === 1 ? open.values() : []
  return only
}
