/**
 * Admin: what administrators do over the network, members of `admin.groups` alone.
 *
 * Owns the routes below. Does not own what they list and change (throttle), nor who is an administrator (login's guard).
 *
 *   GET /api/admin/bans              bans in force
 *   POST /api/admin/bans             {user | address, reason?, duration? | permanent?}
 *   DELETE /api/admin/bans/{id}      lifts one
 *   DELETE /api/admin/bans           {ids | user | address}: lifts these
 */
import type { FastifyPluginAsync } from 'fastify'
import type { Replies } from '../../http/replies.ts'
import { type PortalContextsOptions, portalContexts } from '../portal/index.ts'
import type { Throttle } from '../throttle/index.ts'
import { banRoutes } from './ban-routes.ts'

export interface AdminOptions extends PortalContextsOptions {
  readonly throttle: Pick<Throttle, 'bans'>
  readonly replies: Replies
}

export const admin: FastifyPluginAsync<AdminOptions> = async (app, options) => {
  await app.register(portalContexts, options)
  await app.register(banRoutes, { bans: options.throttle.bans, replies: options.replies })
}
