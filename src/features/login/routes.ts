import type { FastifyPluginAsync } from 'fastify'
import { bringsDeviceCookie, delayPlugin } from '../throttle/index.ts'
import { apiRoutes } from './api-routes.ts'
import { deviceRoutes } from './device-routes.ts'
import { hubRoutes } from './hub-routes.ts'
import type { LoginOptions } from './index.ts'
import { pageRoutes } from './page-routes.ts'
import { createPortal } from './portal.ts'
import { visits } from './visits.ts'

export const loginRoutes: FastifyPluginAsync<LoginOptions> = async (app, options) => {
  const { throttle, clock } = options
  const portal = createPortal(options)
  await app.register(delayPlugin, {
    delay: throttle.delay,
    queue: throttle.queue,
    clock,
    isClaim: ({ headers }) => bringsDeviceCookie(headers.cookie),
  })
  await app.register(visits, options)
  await app.register(pageRoutes, { portal })
  await app.register(apiRoutes, { portal })
  await app.register(deviceRoutes, { portal })
  if (options.hub !== undefined) await app.register(hubRoutes, { portal, hub: options.hub })
}
