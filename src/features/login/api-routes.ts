import type { FastifyPluginAsync } from 'fastify'
import { z } from 'zod'
import { parseJson, takeTextBodies } from '../../http/json-body.ts'
import { koBody, okBody } from '../../http/replies.ts'
import { AppError } from '../../kernel/errors.ts'
import { isSafeRedirect } from '../../kernel/redirect.ts'
import { levelOf } from '../sessions/index.ts'
import { MAX_PASSWORD, MAX_USERNAME } from './first-factor.ts'
import type { Destination } from './flow.ts'
import { BODY_LIMIT, type Portal } from './portal.ts'

const FirstFactorBody = z.object({
  username: z.string().min(1).max(MAX_USERNAME),
  password: z.string().min(1).max(MAX_PASSWORD),
  targetURL: z.string().nullish(),
  requestMethod: z.string().nullish(),
  keepMeLoggedIn: z.boolean().nullish(),
})
const LogoutBody = z.object({ targetURL: z.string().nullish() })
const SafeRedirectionBody = z.object({ uri: z.string() })

/** The bodies below have five names; who sends other names as well is heard all the same. */
const MAX_PARTS = 64

/** What scripts ask the portal, with Authelia's paths, bodies and statuses. */
export const apiRoutes: FastifyPluginAsync<{ readonly portal: Portal }> = async (
  app,
  { portal },
) => {
  const { domains, firstFactor, visitOf, replies, log, where } = portal
  // Bodies are read as JSON whatever their type says, as Authelia does; each handler says what a bad one means.
  takeTextBodies(app, BODY_LIMIT)

  app.get('/api/state', { config: { guard: 'public' } }, (request, reply) => {
    const { identity, domain } = visitOf(request)
    const url = domain.defaultRedirectionUrl
    return replies.json(
      reply,
      okBody({
        username: identity?.profile.name ?? '',
        authentication_level: identity === undefined ? 0 : levelOf(identity.session),
        factor_knowledge: identity?.session.factors.includes('password') ?? false,
        ...(url !== undefined && { default_redirection_url: url }),
      }),
    )
  })

  app.post(
    '/api/firstfactor',
    { config: { guard: 'public', delayed: true } },
    async (request, reply) => {
      const visit = visitOf(request)
      const refused = () => {
        const refusal = new AppError('AUTHENTICATION_FAILED')
        return replies.json(reply, koBody(refusal.message), refusal.statusCode)
      }
      const body = FirstFactorBody.safeParse(parseJson(request.body, MAX_PARTS)).data
      if (body === undefined) return refused()
      const { username, password } = body
      const remember = body.keepMeLoggedIn ?? false
      const attempt = await firstFactor({ username, password, remember }, visit, where(request))
      if (attempt.kind === 'limited') {
        for (const cookie of attempt.cookies) reply.header('Set-Cookie', cookie)
        throw attempt.error
      }
      request.checked = attempt.checked
      if (attempt.kind === 'refused') return refused()
      reply.header('Set-Cookie', attempt.cookies)
      const redirect = redirectAfter(
        portal.judge(
          { rd: body.targetURL ?? '', rm: body.requestMethod ?? '' },
          { address: visit.address, identity: undefined },
          attempt.profile,
        ),
        portal.defaultRedirection(visit),
      )
      return replies.json(reply, okBody(redirect === undefined ? undefined : { redirect }))
    },
  )

  app.post('/api/logout', { config: { guard: 'public' } }, async (request, reply) => {
    const body = LogoutBody.safeParse(parseJson(request.body, MAX_PARTS)).data
    if (body === undefined) log.debug(where(request), 'the body of a logout is not valid JSON')
    await portal.endSession(request, reply)
    const target = body?.targetURL ?? ''
    return replies.json(reply, okBody({ safeTargetURL: isSafeRedirect(target, domains) }))
  })

  app.post(
    '/api/checks/safe-redirection',
    // Public, because an anonymous caller gets 401 here and not the 403 of guarded routes.
    { config: { guard: 'public' } },
    (request, reply) => {
      if (visitOf(request).identity === undefined) return replies.text(reply, 401)
      const body = SafeRedirectionBody.safeParse(parseJson(request.body, MAX_PARTS)).data
      if (body === undefined || URL.parse(body.uri) === null)
        return replies.json(reply, koBody('Operation failed.'))
      return replies.json(reply, okBody({ ok: isSafeRedirect(body.uri, domains) }))
    },
  )
}

/** http-api §3: where a script is told to go after the first factor; undefined is a plain OK. */
export function redirectAfter(
  destination: Destination,
  defaultRedirection: string | undefined,
): string | undefined {
  if (destination.kind !== 'safe') return defaultRedirection
  return destination.outcome === 'two_factor' ? undefined : destination.url
}
