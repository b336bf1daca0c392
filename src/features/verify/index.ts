/**
 * Forward-auth: a proxy asks "may this request pass?".
 *
 * Owns the verify endpoints and nothing else: who somebody is comes from sessions and users, what they may do from
 * access. One straight walk, dialect.read → sessions.identify → access.decide → answer; no catch on it leads to a 2xx.
 *
 *   /verify                    ours: X-Original-URL when it is there, else X-Forwarded-*
 *   /api/authz/auth-request    nginx
 *   /api/authz/forward-auth    Traefik, Caddy, HAProxy, Skipper
 *
 * The walk runs in an onRequest hook on the raw response: a body is never read or waited for, and Fastify's reply
 * machinery, which costs more than the decision, is left out (docs/decisions/, bench/verify.ts).
 */
import type { IncomingMessage } from 'node:http'
import type { FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { HeaderSets } from '../../http/headers.ts'
import type { Layout } from '../../http/layout.ts'
import type { Messages } from '../../http/messages.ts'
import type { Peers } from '../../http/peers.ts'
import { AppError } from '../../kernel/errors.ts'
import { type Access, anonymous, type Decision } from '../access/index.ts'
import {
  type CookieDomain,
  cookieValues,
  type Identity,
  levelOf,
  type Sessions,
} from '../sessions/index.ts'
import type { Dialect } from './dialect.ts'
import { dialects } from './dialects/index.ts'
import { type Fields, readFields } from './fields.ts'
import { createIdentity, type IdentityHeaders } from './identity.ts'
import { acceptsJson, isNavigation } from './navigation.ts'
import { forbiddenContent } from './pages.ts'
import { portalFor, signInUrl } from './portal-url.ts'
import type { Asked } from './target.ts'

export { dialects } from './dialects/index.ts'
export type { IdentityHeaders } from './identity.ts'
export { forbiddenContent } from './pages.ts'
export { signInUrl } from './portal-url.ts'
export { type Asked, type Malformed, parseTarget } from './target.ts'

/** Names the portal's page for a refused navigation: nginx shows no body of ours, but follows this. */
export const FORBIDDEN_HEADER = 'X-Vestibule-Forbidden'
/** Names the portal for a navigation that has to sign in; other callers get Location alone. */
export const SIGN_IN_HEADER = 'X-Vestibule-Sign-In'

export interface VerifyOptions {
  readonly access: Access
  readonly sessions: Sessions
  readonly peers: Peers
  readonly headers: HeaderSets
  readonly layout: Layout
  readonly messages: Messages
  readonly identityHeaders: IdentityHeaders
  readonly log: Logger
}

/** What the walk knows by the time it answers. */
interface Walk extends Asked {
  readonly dialect: Dialect
  readonly fields: Fields
  readonly domain: CookieDomain
  readonly portal: URL
}

export const verify: FastifyPluginAsync<VerifyOptions> = async (
  app,
  { access, sessions, peers, headers, layout, messages, identityHeaders, log },
) => {
  const present = createIdentity(identityHeaders, log)
  const refusalHeaders = Object.entries(headers.api).flat()

  /** Target, cookie domain, portal, and last the peer: the first that fails is the answer. */
  const read = (dialect: Dialect, { rawHeaders, socket, url = '' }: IncomingMessage): Walk => {
    const fields = readFields(rawHeaders)
    if (fields.alias !== undefined)
      throw refuse(`the header ${JSON.stringify(fields.alias)} is an alias of one that is read`)
    const trusted = peers.trusts(socket)
    const address = trusted
      ? peers.clientBehind(socket, fields.forwardedFor)
      : peers.addressOf(socket)
    if (address === undefined) throw refuse('X-Forwarded-For holds something that is no address')
    const asked = dialect.read(fields, address)
    if ('malformed' in asked) throw refuse(asked.malformed)
    const domain = sessions.domainOf(asked.target.host)
    if (domain === undefined) throw refuse('no cookie domain covers the host', asked)
    const found = portalFor(url, domain)
    if ('malformed' in found) throw refuse(found.malformed, asked)
    if (!trusted) {
      peers.reportUntrusted(socket)
      throw new AppError('VERIFY_PEER_UNTRUSTED')
    }
    return { dialect, fields, domain, portal: found.portal, url: asked.url, target: asked.target }
  }

  /** A rule that lets everybody in needs no session store; anything else waits for it. */
  const withoutStore = ({ target }: Walk, error: unknown): undefined => {
    if (access.verdict(anonymous, target).policy === 'bypass') return undefined
    throw error
  }

  const identify = (walk: Walk): Identity | undefined | Promise<Identity | undefined> => {
    const { cookies } = walk.fields
    if (cookies.length === 0) return undefined
    const values: string[] = []
    for (const header of cookies) cookieValues(header, walk.domain.name, values)
    if (values.length === 0) return undefined
    try {
      const found = sessions.identify(values, walk.domain)
      return found instanceof Promise ? found.catch((error) => withoutStore(walk, error)) : found
    } catch (error) {
      return withoutStore(walk, error)
    }
  }

  const decide = ({ target }: Walk, identity: Identity | undefined): Decision => {
    const { subject } = present(identity?.profile)
    const level = identity === undefined ? 0 : levelOf(identity.session)
    const decision = access.decide(subject, level, target)
    if (decision.kind === 'allow' || identity === undefined) return decision
    // What the rules let everybody do, signing in does not take away.
    const asNobody = access.decide(anonymous, 0, target)
    return asNobody.kind === 'allow' ? asNobody : decision
  }

  const answer = (
    walk: Walk,
    identity: Identity | undefined,
    request: FastifyRequest,
    reply: FastifyReply,
  ): void => {
    const decision = decide(walk, identity)
    if (decision.kind === 'allow') {
      // Node takes a flat list and does not write to it; its type asks for a mutable one.
      reply.raw.writeHead(200, present(identity?.profile).headers as string[])
      // Only now: had the head been refused, the error handler would still have to answer.
      reply.hijack()
      reply.raw.end()
      return
    }
    report(walk, identity, decision, request)
    const sent =
      decision.kind === 'deny' ? forbidden(walk, identity, request) : unauthenticated(walk)
    write(reply, sent)
  }

  const unauthenticated = ({ dialect, fields, portal, url, target }: Walk): Sent => {
    const location = signInUrl(portal, url, target.method)
    const navigates = isNavigation(fields)
    const status = navigates ? dialect.unauthenticated(fields, target.method) : 401
    const common = [...refusalHeaders, 'Location', location]
    if (navigates) common.push(SIGN_IN_HEADER, location)
    if (!navigates && acceptsJson(fields)) {
      const body = { status: 'KO', message: 'Sign in first.', login_url: location }
      return { status, headers: common, type: JSON_TYPE, body: JSON.stringify(body) }
    }
    return { status, headers: common, type: TEXT_TYPE, body: STATUS_LINES[status] }
  }

  const forbidden = (
    { fields, portal, url, target }: Walk,
    identity: Identity | undefined,
    request: FastifyRequest,
  ): Sent => {
    if (!isNavigation(fields))
      return { status: 403, headers: refusalHeaders, type: TEXT_TYPE, body: STATUS_LINES[403] }
    const page = signInUrl(portal, url, target.method, '/forbidden')
    const { language, t } = messages.negotiate(request.headers['accept-language'])
    const { body, headers: pageHeaders } = layout.render({
      language,
      t,
      title: t('verify.forbidden.title'),
      content: forbiddenContent(t, {
        user: identity?.profile.name ?? '',
        host: target.host,
        switchUrl: signInUrl(portal, url, target.method, '/logout'),
      }),
      requestId: request.id,
      selfContained: true,
    })
    const { 'Content-Type': type = TEXT_TYPE, ...rest } = pageHeaders
    return {
      status: 403,
      headers: [...Object.entries(rest).flat(), FORBIDDEN_HEADER, page],
      type,
      body,
    }
  }

  const report = (
    { target, dialect }: Walk,
    identity: Identity | undefined,
    decision: Decision,
    request: FastifyRequest,
  ): void => {
    const readings = decision.verdict.readings
    log.info(
      {
        // Without the query: it may carry the app's own tokens.
        target: `${target.scheme}://${target.host}${target.path}`.slice(0, 2048),
        target_method: target.method,
        user: identity?.profile.name ?? '',
        endpoint: dialect.name,
        rule: decision.verdict.rule ?? 'default_policy',
        ...(readings > 1 && { readings }),
        request_id: request.id,
        remote_ip: target.address,
      },
      decision.kind === 'deny'
        ? 'access is forbidden'
        : readings > 1
          ? 'access needs a sign-in (the path is not canonical: the strictest of its readings holds)'
          : 'access needs a sign-in',
    )
  }

  for (const dialect of dialects) {
    app.route({
      method: app.supportedMethods.filter((method) => method !== 'CONNECT'),
      url: dialect.path,
      config: { guard: 'public' },
      onRequest: function verifyWalk(request, reply, done) {
        // Whatever goes wrong is not a yes: the error handler answers 4xx or 5xx.
        const refused = (error: unknown) =>
          done(error instanceof Error ? error : new Error('verify failed', { cause: error }))
        try {
          const walk = read(dialect, request.raw)
          const identity = identify(walk)
          if (identity instanceof Promise)
            identity.then((found) => answer(walk, found, request, reply)).catch(refused)
          else answer(walk, identity, request, reply)
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

const TEXT_TYPE = 'text/plain; charset=utf-8'
const JSON_TYPE = 'application/json; charset=utf-8'
const STATUS_LINES = { 302: 'Found', 303: 'See Other', 401: 'Unauthorized', 403: 'Forbidden' }

interface Sent {
  readonly status: 302 | 303 | 401 | 403
  readonly headers: readonly string[]
  readonly type: string
  readonly body: string
}

function write(reply: FastifyReply, { status, headers, type, body }: Sent): void {
  const bytes = Buffer.from(body)
  const length = String(bytes.length)
  reply.raw.writeHead(status, [...headers, 'Content-Type', type, 'Content-Length', length])
  reply.hijack()
  reply.raw.end(bytes)
}

const refuse = (reason: string, asked?: Asked): AppError =>
  new AppError('VERIFY_MALFORMED', {
    reason,
    ...(asked !== undefined && { host: asked.target.host }),
  })
