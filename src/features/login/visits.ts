import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import { requireGuard } from '../../http/guard.ts'
import { refuseQuestion } from '../../http/misdirected.ts'
import type { Peers } from '../../http/peers.ts'
import { requireSameOrigin } from '../../http/same-origin.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Identity, Sessions } from '../sessions/index.ts'
import { readVisit, type Visit } from './visit.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set where the plugin `visits` is registered. */
    visit: Visit | null
  }
}

export interface VisitsOptions {
  readonly sessions: Sessions
  readonly peers: Peers
  /** `admin.groups` */
  readonly adminGroups: readonly string[]
}

/**
 * For every room with pages or endpoints of the portal: first whether a request may write at all, then who it is from,
 * then whether the route's guard lets them in.
 */
export const visits = fp<VisitsOptions>(
  async (app, { sessions, peers, adminGroups }) => {
    const origins = new Set(
      sessions.domains.flatMap(({ portalUrl }) =>
        portalUrl === undefined ? [] : [portalUrl.origin],
      ),
    )
    const administers = new Set(adminGroups)
    app.decorateRequest('visit', null)
    app.addHook('onRequest', async function readsTheVisit(request) {
      refuseQuestion(request)
      if (request.method !== 'GET' && request.method !== 'HEAD') requireSameOrigin(request, origins)
      request.visit = await readVisit(request, { sessions, peers })
      const profile = request.visit.identity?.profile
      requireGuard(request.routeOptions.config.guard, {
        signedIn: profile !== undefined,
        administrator: profile?.groups.some((group) => administers.has(group)) ?? false,
      })
    })
  },
  { name: 'visits' },
)

export function visitOf({ visit }: FastifyRequest): Visit {
  if (visit === null) throw new AppError('INTERNAL', { reason: 'no visit was read' })
  return visit
}

/** Whether the request comes from somebody who is signed in; not when that cannot be found out. */
export async function isSignedIn(
  request: FastifyRequest,
  tools: Pick<VisitsOptions, 'sessions' | 'peers'>,
): Promise<boolean> {
  try {
    return (await readVisit(request, tools)).identity !== undefined
  } catch {
    return false
  }
}

/**
 * Who is signed in.
 * @throws AppError SIGN_IN_REQUIRED
 */
export function ownerOf(request: FastifyRequest): Identity {
  const { identity } = visitOf(request)
  if (identity === undefined) throw new AppError('SIGN_IN_REQUIRED')
  return identity
}
