import type { Socket } from 'node:net'
import type { FastifyInstance, FastifyPluginAsync } from 'fastify'
import { refuseQuestion } from '../../http/misdirected.ts'
import { requireSameOrigin } from '../../http/same-origin.ts'
import { delayPlugin } from '../throttle/index.ts'
import { apiRoutes } from './api-routes.ts'
import { hubRoutes } from './hub-routes.ts'
import type { LoginOptions } from './index.ts'
import { pageRoutes } from './page-routes.ts'
import { createPortal } from './portal.ts'
import { readVisit } from './visit.ts'

/** Every request of the portal: first whether it may write at all, then who it is from. */
export const loginRoutes: FastifyPluginAsync<LoginOptions> = async (app, options) => {
  const { sessions, peers, throttle, clock } = options
  const portal = createPortal(options)
  const origins = new Set(
    sessions.domains.flatMap(({ portalUrl }) =>
      portalUrl === undefined ? [] : [portalUrl.origin],
    ),
  )
  app.decorateRequest('visit', null)
  await app.register(delayPlugin, { delay: throttle.delay, clock })
  boundPipelines(app)
  app.addHook('onRequest', async function readsTheVisit(request) {
    refuseQuestion(request)
    if (request.method !== 'GET' && request.method !== 'HEAD') requireSameOrigin(request, origins)
    request.visit = await readVisit(request, { sessions, peers })
  })
  await app.register(pageRoutes, { portal })
  await app.register(apiRoutes, { portal })
  if (options.hub !== undefined) await app.register(hubRoutes, { portal, hub: options.hub })
}

/** More pages than this are asked for at once, over one connection, by nobody who means to read them. */
const MAX_PIPELINED = 64

/**
 * Cuts a connection on which page after page is asked for and none is read: answers wait in memory until they are, and one
 * packet holds a thousand questions.
 */
function boundPipelines(app: FastifyInstance): void {
  const waiting = new WeakMap<Socket, number>()
  app.addHook('onRequest', function countsWhatWaits({ raw: { socket } }, reply, done) {
    const count = (waiting.get(socket) ?? 0) + 1
    waiting.set(socket, count)
    reply.raw.once('close', () => waiting.set(socket, (waiting.get(socket) ?? 1) - 1))
    if (count > MAX_PIPELINED) socket.destroy()
    else done()
  })
}
