import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { parseJson, readJson } from '../../../http/json-body.ts'
import { koBody } from '../../../http/replies.ts'
import { AppError } from '../../../kernel/errors.ts'
import { contextOf, ownerOf } from '../../portal/index.ts'
import type { MethodName } from '../method.ts'
import { type ApiServices, ok, redirectFor, targetFields } from './services.ts'

const MethodBody = z.object({ method: z.enum(['totp', 'webauthn']) })
const PasswordBody = z.object({ password: z.string().min(1).max(1024), ...targetFields })

/** What scripts may know of their owner, and the password as the second factor, with Authelia's paths and bodies. */
export const userRoutes: FastifyPluginAsync<{ readonly services: ApiServices }> = async (
  app,
  { services },
) => {
  const { secondFactor, replies } = services
  /** Authelia's: recovery codes are no method of theirs. */
  const offered = secondFactor.methods.flatMap(({ name }) =>
    name === 'recovery_code' ? [] : [name],
  )

  const infoOf = async (request: FastifyRequest) => {
    const { profile, session } = ownerOf(request)
    const available = await secondFactor.available(session.user, contextOf(request).domain)
    const method = (await secondFactor.preferred(session.user)) ?? available[0] ?? offered[0]
    const info = {
      display_name: profile.displayName,
      method: method ?? '',
      has_webauthn: available.includes('webauthn'),
      has_totp: available.includes('totp'),
      has_duo: false,
    }
    return { info, emails: profile.email === '' ? [] : [redacted(profile.email)] }
  }

  app.get('/api/configuration', { config: { guard: 'user' } }, (_request, reply) =>
    ok(services, reply, {
      available_methods: offered,
      password_change_disabled: true,
      password_reset_disabled: services.forgotten === undefined,
    }),
  )

  app.get('/api/user/info', { config: { guard: 'user' } }, async (request, reply) => {
    const { info, emails } = await infoOf(request)
    return ok(services, reply, { ...info, emails })
  })

  // Authelia's also stores the method that it chose; here it is chosen anew each time.
  app.post('/api/user/info', { config: { guard: 'user' } }, async (request, reply) =>
    ok(services, reply, (await infoOf(request)).info),
  )

  app.post('/api/user/info/2fa_method', { config: { guard: 'user' } }, async (request, reply) => {
    const body = MethodBody.safeParse(parseJson(request.body)).data
    const isOffered = (name: MethodName): boolean => offered.some((one) => one === name)
    if (body === undefined || !isOffered(body.method))
      return replies.json(reply, koBody('Operation failed.'))
    await secondFactor.setPreferred(ownerOf(request).session.user, body.method)
    return ok(services, reply)
  })

  // For who signed in with a passkey or a security key alone.
  app.post(
    '/api/secondfactor/password',
    { config: { guard: 'user', delayed: true } },
    async (request, reply) => {
      const body = readJson(request.body, PasswordBody)
      const trust = secondFactor.trusted.prepare(request, body.trustDevice === true)
      if (!(await secondFactor.show.password(request, reply, body.password)))
        throw new AppError('AUTHENTICATION_FAILED')
      const identity = await secondFactor.pass(request, reply, 'password')
      await trust(reply, identity.session)
      return ok(services, reply, await redirectFor(services, request, identity, body))
    },
  )
}

/** `j***n@example.com` */
function redacted(email: string): string {
  const at = email.lastIndexOf('@')
  const name = email.slice(0, at)
  if (at < 3) return `${'*'.repeat(Math.max(at, 1))}${email.slice(at)}`
  return `${name.charAt(0)}${'*'.repeat(name.length - 2)}${name.charAt(name.length - 1)}${email.slice(at)}`
}
