import type { FastifyReply, FastifyRequest } from 'fastify'
import {
  contextOf,
  createJudge,
  createRendering,
  forgetHere,
  type Judge,
  type Rendering,
  type RequestContext,
} from '../portal/index.ts'
import { createFirstFactor, type FirstFactor } from './first-factor.ts'
import type { LoginOptions } from './options.ts'

/** What login's pages and its API share. */
export interface LoginServices extends LoginOptions, Rendering {
  /** Canonical cookie domains: where a browser may be sent. */
  readonly domains: readonly string[]
  readonly firstFactor: FirstFactor
  readonly judge: Judge
  /** Where a fresh sign-in without a target of its own leads. */
  defaultRedirection(context: RequestContext): string | undefined
  /**
   * Ends every session that came with the request, and takes the cookie away.
   * @throws AppError STORE_UNAVAILABLE: some of them may live on, and the cookie stays
   */
  endSession(request: FastifyRequest, reply: FastifyReply): Promise<void>
}

export function createLoginServices(options: LoginOptions): LoginServices {
  const { access, sessions, audit } = options
  return {
    ...options,
    ...createRendering(options),
    domains: sessions.domains.map(({ domain }) => domain),
    firstFactor: createFirstFactor(options),
    judge: createJudge(options),
    defaultRedirection: ({ domain }) =>
      access.needsTwoFactor ? undefined : domain.defaultRedirectionUrl,
    async endSession(request, reply) {
      const { cookies, domain, address, userAgent } = contextOf(request)
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
  }
}
