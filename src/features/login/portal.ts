import type { FastifyReply, FastifyRequest } from 'fastify'
import { pathOf } from '../../http/replies.ts'
import type { Profile } from '../users/index.ts'
import type { Carried } from './carried.ts'
import { judgeDestination } from './destination.ts'
import { createFirstFactor, type FirstFactor } from './first-factor.ts'
import type { Destination } from './flow.ts'
import type { LoginOptions } from './index.ts'
import type { Visit } from './visit.ts'
import { visitOf } from './visits.ts'

/** Room for a 16 KiB target, percent-encoded, beside a name and a password. */
export const BODY_LIMIT = 64 * 1024

/** What the portal's pages and its API share. */
export interface Portal extends LoginOptions {
  /** Canonical cookie domains: where a browser may be sent. */
  readonly domains: readonly string[]
  readonly firstFactor: FirstFactor
  visitOf(request: FastifyRequest): Visit
  /** @param freshly somebody who has signed in with this very request */
  judge(
    carried: Carried,
    visit: Pick<Visit, 'address' | 'identity'>,
    freshly?: Profile,
  ): Destination
  /** Where a fresh sign-in without a target of its own leads. */
  defaultRedirection(visit: Visit): string | undefined
  /**
   * Ends every session that came with the request, and takes the cookie away.
   * @throws AppError STORE_UNAVAILABLE: some of them may live on, and the cookie stays
   */
  endSession(request: FastifyRequest, reply: FastifyReply): Promise<void>
  /** A request's fields in the log. */
  where(request: FastifyRequest): {
    readonly method: string
    readonly path: string
    readonly request_id: string
  }
}

export function createPortal(options: LoginOptions): Portal {
  const { access, sessions, audit } = options
  return {
    ...options,
    domains: sessions.domains.map(({ domain }) => domain),
    firstFactor: createFirstFactor(options),
    visitOf,
    judge: ({ rd, rm }, visit, freshly) => judgeDestination(rd, rm, visit, options, freshly),
    defaultRedirection: ({ domain }) =>
      access.needsTwoFactor ? undefined : domain.defaultRedirectionUrl,
    async endSession(request, reply) {
      const { cookies, domain, address, userAgent } = visitOf(request)
      const ended = await sessions.end(cookies, domain)
      for (const user of new Set(ended.map((session) => session.user))) {
        audit.record('session.ended', {
          ...{ user, actor: `user:${user}`, address, userAgent },
          requestId: request.id,
        })
      }
      forgetHere(reply, options)
      reply.header('Set-Cookie', sessions.expireCookie(domain))
    },
    where: (request) => ({
      method: request.method,
      path: pathOf(request),
      request_id: request.id,
    }),
  }
}

/**
 * What the browser keeps of this origin goes with the session. Never `"cookies"`: that is every cookie of the whole
 * registrable domain, the apps' too. Below a base path the origin is another app's as well, and what it stores is its own.
 */
export function forgetHere(reply: FastifyReply, { base }: { readonly base: string }): void {
  reply.header('Clear-Site-Data', base === '' ? '"cache", "storage"' : '"cache"')
}
