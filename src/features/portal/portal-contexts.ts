import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { declareChecked, requireGuard } from '../../http/guard.ts'
import { refuseQuestion } from '../../http/misdirected.ts'
import type { Peers } from '../../http/peers.ts'
import { requireSameOrigin } from '../../http/same-origin.ts'
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Identity, Sessions } from '../sessions/index.ts'
import { type ElevationCheck, isElevated } from './elevation.ts'
import { type RequestContext, readContext } from './request-context.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set where the plugin `portalContexts` is registered. */
    portalContext: RequestContext | null
  }
}

export interface PortalContextsOptions {
  readonly sessions: Sessions
  readonly peers: Peers
  /** `admin.groups` */
  readonly adminGroups: readonly string[]
  readonly clock: Clock
  /** What tells whether a session is elevated. Undefined: its record alone. */
  readonly elevation?: ElevationCheck | undefined
}

/**
 * For every feature with pages or endpoints of the portal: first whether a request may write at all, then who sends it, then
 * whether the route's guard admits that user.
 */
export const portalContexts = fp<PortalContextsOptions>(
  async (app, { sessions, peers, adminGroups, clock, elevation }) => {
    const origins = new Set(
      sessions.domains.flatMap(({ portalUrl }) =>
        portalUrl === undefined ? [] : [portalUrl.origin],
      ),
    )
    const administers = new Set(adminGroups)
    declareChecked(app)
    app.decorateRequest('portalContext', null)
    async function admit(request: FastifyRequest): Promise<void> {
      request.portalContext = await readContext(request, { sessions, peers })
      const { identity } = request.portalContext
      const { guard } = request.routeOptions.config
      const asked = guard === 'elevated' || guard === 'elevated-admin' ? identity : undefined
      const elevated = asked !== undefined && (await isElevated(asked, { elevation, clock }))
      const missing =
        asked !== undefined && !elevated && (await elevation?.needsSecondFactor(asked)) === true
      requireGuard(guard, {
        signedIn: identity !== undefined,
        elevated,
        ...(missing && { needsSecondFactor: true }),
        administrator: identity?.profile.groups.some((group) => administers.has(group)) ?? false,
      })
    }

    app.addHook('onRequest', async function readsTheContext(request) {
      refuseQuestion(request)
      if (writes(request)) requireSameOrigin(request, origins)
      await admit(request)
    })
    // A client can hold its body back until the user has a second factor, or is signed out: what was true before the body was
    // read may be over.
    app.addHook('preHandler', async function looksAgainAfterTheBody(request) {
      const { guard } = request.routeOptions.config
      if (guard !== 'public' && guard !== 'user' && writes(request)) await admit(request)
    })
  },
  { name: 'portal-contexts' },
)

const writes = ({ method }: FastifyRequest): boolean => method !== 'GET' && method !== 'HEAD'

export function contextOf({ portalContext }: FastifyRequest): RequestContext {
  if (portalContext === null) throw new AppError('INTERNAL', { reason: 'no context was read' })
  return portalContext
}

/** Whether the request has a valid session; false also when that cannot be found out. */
export async function isSignedIn(
  request: FastifyRequest,
  tools: Pick<PortalContextsOptions, 'sessions' | 'peers'>,
): Promise<boolean> {
  try {
    return (await readContext(request, tools)).identity !== undefined
  } catch {
    return false
  }
}

/**
 * The user who is signed in, with the session.
 * @throws AppError SIGN_IN_REQUIRED
 */
export function ownerOf(request: FastifyRequest): Identity {
  const { identity } = contextOf(request)
  if (identity === undefined) throw new AppError('SIGN_IN_REQUIRED')
  return identity
}
