/**
 * The portal: where people sign in and out.
 *
 * Owns the first factor, the sign-in flow and the portal's pages. Does not own whose password something is (users),
 * what a session is (sessions) or what somebody may open (access).
 *
 *   GET, POST /                      sign in; where a visitor stands decides which page
 *   GET, POST /logout                a page that posts; the session ends
 *   GET /hub/vouch, /return, /join   on the way between the portals of several domains
 *   GET /forbidden                   "not allowed here", for nginx's error_page
 *   GET, DELETE /api/user/devices[/{id}]   browsers that are known to be one's own
 *   GET /api/state · POST /api/firstfactor, /api/logout, /api/checks/safe-redirection
 */
import type { FastifyPluginAsync } from 'fastify'
import type { Logger } from 'pino'
import type { Icons } from '../../http/icons.ts'
import type { Messages } from '../../http/messages.ts'
import type { Peers } from '../../http/peers.ts'
import type { Replies } from '../../http/replies.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Access } from '../access/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Hub } from '../hub/index.ts'
import type { Sessions } from '../sessions/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import { loginRoutes } from './routes.ts'

export { forgetHere } from './portal.ts'
export { isSignedIn, ownerOf, type VisitsOptions, visitOf, visits } from './visits.ts'

export interface LoginOptions {
  readonly access: Access
  readonly sessions: Sessions
  /** Undefined where each domain signs in for itself. */
  readonly hub: Hub | undefined
  readonly users: Users
  readonly throttle: Throttle
  readonly audit: Pick<Audit, 'record'>
  readonly peers: Peers
  readonly replies: Replies
  readonly messages: Messages
  /** Pictures of apps. */
  readonly icons: Icons
  /** A person's own pages below `/settings/`, by path and the key of their title. */
  readonly ownPages: readonly { readonly path: string; readonly title: string }[]
  readonly log: Logger
  readonly clock: Clock
  /** `admin.groups` */
  readonly adminGroups: readonly string[]
  /** Where Logout leads when the request names no target of its own; undefined: our own page. */
  readonly logoutUrl: string | undefined
  /** Base path without a slash at its end; empty at the root. */
  readonly base: string
}

export const login: FastifyPluginAsync<LoginOptions> = async (app, options) => {
  await app.register(loginRoutes, options)
}
