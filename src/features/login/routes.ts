import type { FastifyPluginAsync } from 'fastify'
import { requireSameOrigin } from '../../http/same-origin.ts'
import { apiRoutes } from './api-routes.ts'
import type { LoginOptions } from './index.ts'
import { pageRoutes } from './page-routes.ts'
import { createPortal } from './portal.ts'
import { readVisit } from './visit.ts'

/** Every request of the portal: first whether it may write at all, then who it is from. */
export const loginRoutes: FastifyPluginAsync<LoginOptions> = async (app, options) => {
  const { sessions, peers } = options
  const portal = createPortal(options)
  const origins = new Set(
    sessions.domains.flatMap(({ portalUrl }) =>
      portalUrl === undefined ? [] : [portalUrl.origin],
    ),
  )
  app.decorateRequest('visit', null)
  app.addHook('onRequest', async function readsTheVisit(request) {
    if (request.method !== 'GET' && request.method !== 'HEAD') requireSameOrigin(request, origins)
    request.visit = await readVisit(request, { sessions, peers })
  })
  await app.register(pageRoutes, { portal })
  await app.register(apiRoutes, { portal })
}
