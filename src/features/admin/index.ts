/**
 * Admin: what administrators see and do over the network, members of `admin.groups` alone.
 *
 * Owns the pages of administrators, and how a route of the admin API becomes an operation. Does not own the operations and
 * their routes (each feature's operations.ts), why the rules decide as they do (access), nor who is an administrator
 * (portal's guard).
 *
 *   GET /admin               to the first page
 *   GET /admin/why           why a request is allowed or refused, and what a user was refused last
 *   GET /api/admin/why       the same for scripts: ?user=&url=&method=&address=
 */
import type { FastifyPluginAsync } from 'fastify'
import { pageRefusals, portalContexts } from '../portal/index.ts'
import { operationRoutes } from './operation-routes.ts'
import { pages } from './pages/index.ts'
import { type AdminOptions, createAdminServices } from './services.ts'
import { whyApi } from './why-api.ts'

export type { AdminPage } from './page.ts'
export type { AdminOptions } from './services.ts'

export const admin: FastifyPluginAsync<AdminOptions> = async (app, options) => {
  const { operations, replies, base, hasAdmin } = options
  if (!hasAdmin) return
  const services = createAdminServices(options, pages)
  await app.register(portalContexts, options)
  await app.register(operationRoutes, { operations, replies })
  await app.register(whyApi, { services })
  await app.register(async (paged) => {
    await paged.register(pageRefusals, services)
    const [first] = pages
    paged.get('/admin', { config: { guard: 'admin' } }, (_request, reply) =>
      replies.redirect(reply, `${base}/admin/${first.path}`, 302),
    )
    for (const { routes } of pages) await paged.register(routes, { services })
  })
}
