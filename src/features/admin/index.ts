/**
 * Admin: what administrators do over the network, members of `admin.groups` alone.
 *
 * Owns how a route of the admin API becomes an operation, and the operation's output an answer. Does not own the
 * operations and their routes (each feature's operations.ts), nor who is an administrator (portal's guard).
 */
import type { FastifyPluginAsync } from 'fastify'
import type { Replies } from '../../http/replies.ts'
import type { BoundOperation } from '../../kernel/operation.ts'
import { type PortalContextsOptions, portalContexts } from '../portal/index.ts'
import { operationRoutes } from './operation-routes.ts'

export interface AdminOptions extends PortalContextsOptions {
  readonly operations: readonly BoundOperation[]
  readonly replies: Replies
  readonly config: { readonly admin: { readonly disable: boolean } }
}

export const admin: FastifyPluginAsync<AdminOptions> = async (app, options) => {
  const { operations, replies, config } = options
  if (config.admin.disable) return
  await app.register(portalContexts, options)
  await app.register(operationRoutes, { operations, replies })
}
