import type { FastifyPluginAsync } from 'fastify'
import { takeTextBodies } from '../../http/json-body.ts'
import { FORM_LIMIT, portalContexts } from '../portal/index.ts'
import { bringsDeviceCookie, delayPlugin } from '../throttle/index.ts'
import { elevationRoutes } from './api/elevation-routes.ts'
import { recoveryRoutes } from './api/recovery-routes.ts'
import { createApiServices, type SecondFactorRoutesOptions } from './api/services.ts'
import { totpRoutes } from './api/totp-routes.ts'
import { userRoutes } from './api/user-routes.ts'

/** The JSON API of second factors. A route of a method that is switched off is not there. */
export const secondFactorRoutes: FastifyPluginAsync<SecondFactorRoutesOptions> = async (
  app,
  options,
) => {
  const { throttle, clock, secondFactor } = options
  const services = createApiServices(options)
  await app.register(delayPlugin, {
    delay: throttle.delay,
    queue: throttle.queue,
    clock,
    isClaim: ({ headers }) => bringsDeviceCookie(headers.cookie),
  })
  await app.register(portalContexts, options)
  // As JSON whatever their type says, as Authelia does.
  takeTextBodies(app, FORM_LIMIT)
  const { totp } = secondFactor
  if (totp !== undefined) await app.register(totpRoutes, { services, totp })
  if (secondFactor.isOn) await app.register(recoveryRoutes, { services })
  await app.register(elevationRoutes, { services })
  await app.register(userRoutes, { services })
}
