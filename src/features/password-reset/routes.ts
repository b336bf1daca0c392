import type { FastifyPluginAsync } from 'fastify'
import { portalContexts } from '../portal/index.ts'
import { apiRoutes } from './api-routes.ts'
import { pageRoutes } from './page-routes.ts'
import { createResetServices, type PasswordResetPlugin } from './services.ts'

export const passwordResetRoutes: FastifyPluginAsync<PasswordResetPlugin> = async (
  app,
  options,
) => {
  const { passwordReset } = options
  if (passwordReset === undefined) return
  const services = createResetServices(options, passwordReset)
  await app.register(portalContexts, options)
  // The token stands in the address: no other server is to read it in a Referer.
  app.addHook('onSend', async function keepsTheAddressToItself(_request, reply) {
    reply.header('Referrer-Policy', 'no-referrer')
  })
  await app.register(apiRoutes, { services })
  await app.register(pageRoutes, { services })
}

/** https://w3c.github.io/webappsec-change-password-url/: where password managers send users. */
export const changePasswordRoute: FastifyPluginAsync<
  Pick<PasswordResetPlugin, 'replies' | 'base'>
> = async (app, { replies, base }) => {
  app.get('/.well-known/change-password', { config: { guard: 'public' } }, (_request, reply) =>
    replies.redirect(reply, `${base}/settings/password`, 302),
  )
}
