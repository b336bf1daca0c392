/**
 * Forward-auth: a proxy asks "may this request pass?".
 *
 * Owns the verify endpoints and nothing else: who somebody is comes from sessions and users, what they may do from
 * access. One straight walk, dialect.read → sessions.identify → access.decide → answer; no catch on it leads to a 2xx.
 *
 *   /verify                    ours: X-Original-URL when it is there, else X-Forwarded-*
 *   /api/authz/auth-request    nginx
 *   /api/authz/forward-auth    Traefik, Caddy, HAProxy, Skipper
 *   /api/authz/ext-authz/…     Envoy
 *   /api/verify                Authelia's old one
 *   or what `server.endpoints.authz` mounts in place of the last four
 *
 * The walk runs in an onRequest hook on the raw response: a body is never read or waited for, and Fastify's reply
 * machinery, which costs more than the decision, is left out (docs/decisions/003-verify-on-the-raw-response.md). A plain
 * yes does not come as far as Fastify (entrance.ts).
 */
import type { IncomingMessage } from 'node:http'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { HeaderSets } from '../../http/headers.ts'
import type { Layout } from '../../http/layout.ts'
import type { Messages } from '../../http/messages.ts'
import type { Peers } from '../../http/peers.ts'
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Access } from '../access/index.ts'
import type { Audit } from '../audit/index.ts'
import type { Identity, Sessions } from '../sessions/index.ts'
import type { Throttle } from '../throttle/index.ts'
import type { Users } from '../users/index.ts'
import { writeAllowed } from './allowed.ts'
import { createAnswers } from './answer.ts'
import { type Credentials, createCredentials } from './credentials.ts'
import { type EndpointsConfig, endpointsOf } from './endpoints.ts'
import type { Begun, Entrance } from './entrance.ts'
import { createIdentity, type IdentityHeaders } from './identity.ts'
import { createWalker, ownerOf, type Walk } from './walk.ts'

export { FORBIDDEN_HEADER, SIGN_IN_HEADER } from './answer.ts'
export { isVerifyPath } from './endpoints.ts'
export { createEntrance, type Entrance } from './entrance.ts'
export type { IdentityHeaders } from './identity.ts'
export { forbiddenContent } from './pages.ts'
export { type Asked, type Malformed, parseTarget } from './target.ts'

export interface VerifyOptions {
  readonly access: Access
  readonly sessions: Sessions
  readonly users: Users
  readonly throttle: Throttle
  readonly audit: Pick<Audit, 'record'>
  readonly peers: Peers
  readonly headers: HeaderSets
  readonly layout: Layout
  readonly messages: Messages
  readonly identityHeaders: IdentityHeaders
  /** `server.endpoints.authz` */
  readonly endpoints: EndpointsConfig | undefined
  /** The other way in. */
  readonly entrance: Entrance
  readonly clock: Clock
  readonly log: Logger
}

export const verify: FastifyPluginAsync<VerifyOptions> = async (app, options) => {
  const { access, sessions, users, peers, headers, layout, messages, identityHeaders, log } =
    options
  const present = createIdentity(identityHeaders, log)
  const walker = createWalker({ access, sessions, peers, present, log })
  const answers = createAnswers({ headers, layout, messages, present, log })

  /** Whoever the rules let through on the cookie alone is through; only then headers are looked at. */
  const answer = (
    walk: Walk,
    identity: Identity | undefined,
    credentials: Credentials,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void | Promise<void> => {
    const somebody = identity === undefined ? undefined : ownerOf(identity)
    const decision = walker.decide(walk, somebody)
    if (decision.kind === 'allow') return answers.allow(reply, identity?.profile)
    return credentials.check(walk, identity !== undefined, request).then((outcome) => {
      const { challenge } = outcome
      const common = { walk, request, reply }
      switch (outcome.kind) {
        case 'nothing':
          return answers.refuse({
            ...common,
            decision,
            profile: identity?.profile,
            // A deny is a deny, whoever could have been asked.
            challenge: decision.kind === 'deny' ? undefined : challenge,
          })
        case 'refused':
          return answers.refuse({
            ...common,
            decision,
            profile: undefined,
            challenge,
            wrong: true,
            ...(outcome.retryAfter !== undefined && { retryAfter: outcome.retryAfter }),
          })
        case 'accepted': {
          const { profile } = outcome
          const judged = walker.decide(walk, { profile, level: 1 })
          if (judged.kind === 'allow') return answers.allow(reply, profile)
          return answers.refuse({
            ...common,
            decision: judged,
            profile,
            challenge: judged.kind === 'deny' ? undefined : challenge,
          })
        }
        default:
          return outcome satisfies never
      }
    })
  }

  for (const endpoint of endpointsOf(options.endpoints)) {
    const { path, dialect, strategies } = endpoint
    const credentials = createCredentials(endpoint, {
      users,
      throttle: options.throttle,
      audit: options.audit,
      clock: options.clock,
      log,
    })
    const takesCookies = strategies.some(({ name }) => name === 'CookieSession')
    const begin = (request: IncomingMessage, url: string): Begun => {
      const walk = walker.read(endpoint, request, url)
      return { walk, identity: takesCookies ? walker.identify(walk) : undefined }
    }
    options.entrance.mount(endpoint, {
      begin,
      allow(walk, identity, response) {
        const somebody = identity === undefined ? undefined : ownerOf(identity)
        if (walker.decide(walk, somebody).kind !== 'allow') return false
        writeAllowed(response, present(identity?.profile))
        return true
      },
    })
    for (const url of dialect.takesTail ? [path, `${path}/*`] : [path]) {
      app.route({
        method: app.supportedMethods.filter((method) => method !== 'CONNECT'),
        url,
        config: { guard: 'public' },
        onRequest: function verifyWalk(request, reply, done) {
          // Whatever goes wrong is not a yes: the error handler answers 4xx or 5xx.
          const refused = (error: unknown) =>
            done(error instanceof Error ? error : new Error('verify failed', { cause: error }))
          try {
            const { raw } = request
            const { walk, identity } =
              options.entrance.take(endpoint, raw) ?? begin(raw, raw.url ?? '')
            const answered =
              identity instanceof Promise
                ? identity.then((found) => answer(walk, found, credentials, request, reply))
                : answer(walk, identity, credentials, request, reply)
            answered?.catch(refused)
          } catch (error) {
            refused(error)
          }
        },
        handler: function neverReached() {
          throw new AppError('INTERNAL', { reason: 'a verify request passed its own hook' })
        },
      })
    }
  }
}
