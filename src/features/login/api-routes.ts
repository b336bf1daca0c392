import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { parseJson, takeTextBodies } from '../../http/json-body.ts'
import { koBody, okBody } from '../../http/replies.ts'
import { AppError } from '../../kernel/errors.ts'
import { isSafeRedirect } from '../../kernel/redirect.ts'
import {
  contextOf,
  type Destination,
  FORM_LIMIT,
  logFieldsOf,
  NOTHING_CARRIED,
} from '../portal/index.ts'
import { hasFactor, levelOf } from '../sessions/index.ts'
import { MAX_PASSWORD, MAX_USERNAME } from './first-factor.ts'
import type { LoginServices } from './services.ts'

const FirstFactorBody = z.object({
  username: z.string().min(1).max(MAX_USERNAME),
  password: z.string().min(1).max(MAX_PASSWORD),
  targetURL: z.string().nullish(),
  requestMethod: z.string().nullish(),
  keepMeLoggedIn: z.boolean().nullish(),
})
const LogoutBody = z.object({ targetURL: z.string().nullish() })
const SafeRedirectionBody = z.object({ uri: z.string() })

/** The bodies below have five names; other names are ignored. */
const MAX_PARTS = 64

/** What scripts ask the portal, with Authelia's paths, bodies and statuses. */
export const apiRoutes: FastifyPluginAsync<{ readonly services: LoginServices }> = async (
  app,
  { services },
) => {
  const { domains, replies, log } = services
  // Bodies are read as JSON whatever their type says, as Authelia does; each handler says what a bad one means.
  takeTextBodies(app, FORM_LIMIT)

  app.get('/api/state', { config: { guard: 'public' } }, (request, reply) => {
    const { identity, domain } = contextOf(request)
    const url = domain.defaultRedirectionUrl
    return replies.json(
      reply,
      okBody({
        username: identity?.profile.name ?? '',
        authentication_level: identity === undefined ? 0 : levelOf(identity.session),
        factor_knowledge: identity !== undefined && hasFactor(identity.session, 'password'),
        ...(url !== undefined && { default_redirection_url: url }),
      }),
    )
  })

  app.post('/api/firstfactor', { config: { guard: 'public', delayed: true } }, (request, reply) =>
    signIn(services, request, reply),
  )

  app.post('/api/logout', { config: { guard: 'public' } }, async (request, reply) => {
    const body = LogoutBody.safeParse(parseJson(request.body, MAX_PARTS)).data
    if (body === undefined)
      log.debug(logFieldsOf(request), 'the body of a logout is not valid JSON')
    await services.endSession(request, reply)
    const target = body?.targetURL ?? ''
    return replies.json(reply, okBody({ safeTargetURL: isSafeRedirect(target, domains) }))
  })

  app.post(
    '/api/checks/safe-redirection',
    // Public, because an anonymous caller gets 401 here and not the 403 of guarded routes.
    { config: { guard: 'public' } },
    (request, reply) => {
      if (contextOf(request).identity === undefined) return replies.text(reply, 401)
      const body = SafeRedirectionBody.safeParse(parseJson(request.body, MAX_PARTS)).data
      if (body === undefined || URL.parse(body.uri) === null)
        return replies.json(reply, koBody('Operation failed.'))
      return replies.json(reply, okBody({ ok: isSafeRedirect(body.uri, domains) }))
    },
  )
}

async function signIn(
  services: LoginServices,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { firstFactor, replies } = services
  const context = contextOf(request)
  const refused = () => {
    const refusal = new AppError('AUTHENTICATION_FAILED')
    return replies.json(reply, koBody(refusal.message), refusal.statusCode)
  }
  const body = FirstFactorBody.safeParse(parseJson(request.body, MAX_PARTS)).data
  if (body === undefined) return refused()
  const { username, password } = body
  const remember = body.keepMeLoggedIn ?? false
  const attempt = await firstFactor({ username, password, remember }, context, logFieldsOf(request))
  if (attempt.kind === 'limited') {
    for (const cookie of attempt.cookies) reply.header('Set-Cookie', cookie)
    throw attempt.error
  }
  request.checked = attempt.checked
  if (attempt.kind === 'refused') return refused()
  reply.header('Set-Cookie', attempt.cookies)
  const redirect = redirectAfter(
    await services.judge(
      { ...NOTHING_CARRIED, rd: body.targetURL ?? '', rm: body.requestMethod ?? '' },
      { address: context.address, identity: undefined },
      attempt.profile,
    ),
    services.defaultRedirection(context),
  )
  return replies.json(reply, okBody(redirect === undefined ? undefined : { redirect }))
}

/** Where a script is told to go after the first factor; undefined is a plain OK. */
export function redirectAfter(
  destination: Destination,
  defaultRedirection: string | undefined,
): string | undefined {
  switch (destination.kind) {
    case 'none':
    case 'unsafe':
      return defaultRedirection
    case 'safe':
    case 'interaction':
      return destination.outcome === 'two_factor' ? undefined : destination.url
    default:
      return destination satisfies never
  }
}
