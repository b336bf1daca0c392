import type { FastifyPluginAsync } from 'fastify'
import { portalContexts } from '../portal/index.ts'
import { bringsDeviceCookie, delayPlugin } from '../throttle/index.ts'
import { apiRoutes } from './api-routes.ts'
import { deviceRoutes } from './device-routes.ts'
import type { LoginOptions } from './options.ts'
import { pageRoutes } from './page-routes.ts'
import { createLoginServices } from './services.ts'

/** @throws TypeError when two contributors have one name */
export const loginRoutes: FastifyPluginAsync<LoginOptions> = async (app, options) => {
  const { throttle, clock } = options
  const names = options.contributors.map(({ name }) => name)
  if (new Set(names).size < names.length)
    throw new TypeError(`two contributors to the sign-in flow have one name: ${names.join(', ')}`)
  const services = createLoginServices(options)
  await app.register(delayPlugin, {
    delay: throttle.delay,
    queue: throttle.queue,
    clock,
    isClaim: ({ headers }) => bringsDeviceCookie(headers.cookie),
  })
  await app.register(portalContexts, options)
  await app.register(pageRoutes, { services })
  await app.register(apiRoutes, { services })
  await app.register(deviceRoutes, { services })
}
