import formbody from '@fastify/formbody'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../kernel/errors.ts'
import { readPairs } from '../../kernel/pairs.ts'
import { faultsIn } from '../password-policy/index.ts'
import { contextOf, pageRefusals, textFields } from '../portal/index.ts'
import {
  askPage,
  donePage,
  type Faults,
  newPasswordPage,
  revokedPage,
  revokePage,
  sentPage,
  unusableLinkPage,
} from './pages.ts'
import { MAX_PASSWORD, MAX_USERNAME, originOf, type ResetServices } from './services.ts'

/** A token and two passwords of 1024 bytes, percent-encoded. */
const BODY_LIMIT = 16_384

/** For people, without scripts. What depends on a token is answered in place: no Location header carries one. */
export const pageRoutes: FastifyPluginAsync<{ readonly services: ResetServices }> = async (
  app,
  { services },
) => {
  const { base, show, policy } = services
  const config = { guard: 'public' } as const
  await app.register(pageRefusals, services)
  await app.register(formbody, { bodyLimit: BODY_LIMIT, parser: readPairs })

  app.get('/reset-password', { config }, (request, reply) =>
    show(request, reply, (t) => askPage(t, base)),
  )
  app.post('/reset-password', { config }, (request, reply) => ask(services, request, reply))
  app.get('/reset-password/sent', { config }, (request, reply) =>
    show(request, reply, (t) => sentPage(t, base)),
  )
  app.get('/reset-password/step2', { config }, async (request, reply) => {
    const { token = '' } = textFields(request.query)
    const found = await services.reset.ofToken(token, originOf(request))
    if (found === undefined) return unusable(services, request, reply)
    return show(request, reply, (t) =>
      newPasswordPage(t, { token, user: found.user, base, policy }),
    )
  })
  app.post('/reset-password/step2', { config }, (request, reply) =>
    change(services, request, reply),
  )
  app.get('/reset-password/done', { config }, (request, reply) =>
    show(request, reply, (t) => donePage(t, base)),
  )
  app.get('/revoke/reset-password', { config }, (request, reply) => {
    const flags = textFields(request.query)
    if ('done' in flags) return show(request, reply, (t) => revokedPage(t, base))
    return show(request, reply, (t) => revokePage(t, { token: flags['token'] ?? '', base }))
  })
  app.post('/revoke/reset-password', { config }, async (request, reply) => {
    const { token = '' } = textFields(request.body)
    const revoked = await services.reset.revoke(token, originOf(request))
    if (!revoked) return unusable(services, request, reply)
    return services.replies.redirect(reply, `${base}/revoke/reset-password?done=`)
  })
}

async function ask(
  { reset, replies, base }: ResetServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { username = '' } = textFields(request.body)
  const { devices } = contextOf(request)
  if (username !== '' && username.length <= MAX_USERNAME)
    await reset.ask({ ...originOf(request), devices, username })
  return replies.redirect(reply, `${base}/reset-password/sent`)
}

const unusable = (
  { show, base }: ResetServices,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply => show(request, reply, (t) => unusableLinkPage(t, base), 400)

async function change(
  services: ResetServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { reset, replies, show, base, policy } = services
  const origin = originOf(request)
  const { token = '', password = '', repeat = '' } = textFields(request.body)
  const found = await reset.ofToken(token, origin)
  if (found === undefined) return unusable(services, request, reply)
  const again = (fault: Faults) =>
    show(
      request,
      reply,
      (t) => newPasswordPage(t, { ...fault, token, user: found.user, base, policy }),
      400,
    )
  if (password !== repeat) return again({ fault: 'different' })
  if (password.length > MAX_PASSWORD) return again({ fault: 'unusable' })
  try {
    if (!(await reset.complete(found, password, origin))) return unusable(services, request, reply)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    if (error.code === 'PASSWORD_WEAK') return again({ weak: faultsIn(error) })
    if (error.code === 'PASSWORD_UNUSABLE') return again({ fault: 'unusable' })
    if (error.code === 'USERS_UNWRITABLE') return again({ fault: 'fixed' })
    throw error
  }
  return replies.redirect(reply, `${base}/reset-password/done`)
}
