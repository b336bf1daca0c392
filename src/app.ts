/**
 * The application: makes the services and registers the features. Read from top to bottom it is the order in which they
 * depend on each other. What belongs to the process (listening, signals, files watched) is server/.
 */
import { randomBytes } from 'node:crypto'
import { type IncomingMessage, METHODS, type ServerResponse } from 'node:http'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { Logger } from 'pino'
import { createAccess, createLiveAccess, type LiveAccess } from './features/access/index.ts'
import { admin } from './features/admin/index.ts'
import type { Audit } from './features/audit/index.ts'
import { health } from './features/health/index.ts'
import { type Hub, hubRoutes } from './features/hub/index.ts'
import { login } from './features/login/index.ts'
import { isSignedIn } from './features/portal/index.ts'
import {
  createFactorsPage,
  passkeyRoutes,
  type SecondFactor,
  secondFactorPages,
  secondFactorRoutes,
  secondFactorStep,
  type Webauthn,
  webauthnRoutes,
} from './features/second-factor/index.ts'
import type { Sessions } from './features/sessions/index.ts'
import { createPasswordPage, ownPages, settings } from './features/settings/index.ts'
import type { Throttle } from './features/throttle/index.ts'
import type { Users } from './features/users/index.ts'
import { createEntrance, isVerifyPath, verify } from './features/verify/index.ts'
import { type Config, messageCatalogues, ownPaths } from './features.ts'
import { assetRoutes, loadAssets } from './http/assets.ts'
import { guards } from './http/guard.ts'
import { createHeaderSets } from './http/headers.ts'
import { createIcons, iconRoutes } from './http/icons.ts'
import { createLayout } from './http/layout.ts'
import { createMessages } from './http/messages.ts'
import { noBody } from './http/no-body.ts'
import { onlyAt } from './http/own-paths.ts'
import { createPeers, type Peers } from './http/peers.ts'
import { createReplies, type Replies } from './http/replies.ts'
import type { Clock } from './kernel/clock.ts'
import type { BoundOperation } from './kernel/operation.ts'
import { readPairs } from './kernel/pairs.ts'

/** What outlives a request and is not made from the configuration alone. */
export interface Tools {
  readonly log: Logger
  readonly clock: Clock
  readonly users: Users
  readonly sessions: Sessions
  readonly throttle: Throttle
  readonly factors: SecondFactor
  readonly webauthn: Webauthn
  readonly audit: Audit
  /** Undefined where each cookie domain signs in for itself. */
  readonly hub: Hub | undefined
  /** Some of them have routes of the admin API. */
  readonly operations: readonly BoundOperation[]
  /** What `/api/health/ready` asks. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>
}

export interface App {
  readonly fastify: FastifyInstance
  /** Answers a request: what verify allows at once at its own entrance, everything else through Fastify. */
  readonly handle: (request: IncomingMessage, response: ServerResponse) => void
  readonly access: LiveAccess
  /** To be told of each connection before its first request is read. */
  readonly connected: Peers['welcome']
}

/** Node's default of 16 KiB answers 431 where an app sets many cookies, and nginx makes 500 of it. */
export const MAX_HEADER_BYTES = 64 * 1024

/** Bodies are parsed by zod and replies are strings: Fastify's own compilers are never asked, and Ajv is not loaded. */
const NO_SCHEMAS = { buildValidator: noSchemas, buildSerializer: noSchemas }

function noSchemas(): never {
  throw new TypeError('a route with a schema of Fastify: nothing here compiles one')
}

/** In one piece, although it is long: its order is the order in which the services and features depend on each other. */
export async function createApp(
  config: Config,
  { log, clock, users, sessions, throttle, factors, webauthn, ...tools }: Tools,
): Promise<App> {
  const { audit, hub, operations, checks } = tools
  const server = config['server']
  const headers = createHeaderSets({
    hsts: server.headers.hsts,
    frameAncestors: server.headers.frame_ancestors,
  })
  const messages = createMessages(messageCatalogues)
  const assets = loadAssets(config['branding'].accent)
  const base = server.address.basePath === '/' ? '' : server.address.basePath
  const layout = createLayout({ assets, headers, brand: config['branding'].title, base })
  const icons = createIcons(log)
  // A picture that is missing is said at the start, not when a user opens the page.
  for (const { icon } of config['access_control'].rules) if (icon !== undefined) icons.urlOf(icon)
  const peers = createPeers({ trustedProxies: config['trusted_proxies'], log })
  const replies = createReplies({
    ...{ headers, layout, messages, log, base },
    answersInText: isVerifyPath,
    isSignedIn: (request) => isSignedIn(request, { sessions, peers }),
  })
  const [firstPage, ...otherPages] = ownPages
  const elevatedPages = [
    createPasswordPage({ users }),
    createFactorsPage({ secondFactor: factors, keys: webauthn.isOn ? webauthn : undefined }),
  ]
  const settingsPages = [firstPage, ...elevatedPages, ...otherPages] as const
  const access = createLiveAccess(
    createAccess(config['access_control'], config['definitions'].network),
  )

  /** What every feature with pages or endpoints of the portal is registered with. */
  const portal = {
    sessions,
    audit,
    peers,
    replies,
    messages,
    clock,
    elevation: factors.elevation,
    adminGroups: config['admin'].groups,
    base,
  }

  const fastify = createFastify(base, replies)
  const entrance = createEntrance(base === '' ? undefined : (url) => withoutBase(url, base))
  await fastify.register(guards)
  fastify.addHook('onRoute', onlyAt(ownPaths))
  await fastify.register(noBody)
  replies.installErrorHandlers(fastify)
  await fastify.register(verify, {
    access,
    sessions,
    users,
    throttle,
    audit,
    peers,
    headers,
    layout,
    messages,
    identityHeaders: config['identity_headers'],
    endpoints: config['server.endpoints'].authz,
    entrance,
    clock,
    log,
  })
  await fastify.register(login, {
    ...portal,
    access,
    hub,
    users,
    throttle,
    icons,
    ownPages: settingsPages,
    contributors: [secondFactorStep(factors)],
    trusted: factors.trusted,
    interactions: undefined,
    passkeys: webauthn.hasPasskeys,
    log,
    logoutUrl: config['logout_url'],
  })
  if (hub !== undefined) await fastify.register(hubRoutes, { ...portal, hub, throttle, log })
  await fastify.register(secondFactorRoutes, {
    ...portal,
    ...{ factors, access, throttle, interactions: undefined },
    elevatedSession: config['identity_validation.elevated_session'],
  })
  const keys = { ...portal, webauthn, access, interactions: undefined, log }
  await fastify.register(webauthnRoutes, { ...keys, secondFactor: factors })
  await fastify.register(passkeyRoutes, { ...keys, users, throttle })
  await fastify.register(secondFactorPages, { ...portal, secondFactor: factors, throttle })
  await fastify.register(settings, { ...portal, pages: settingsPages })
  if (!config['admin'].disable) await fastify.register(admin, { ...portal, operations })
  await fastify.register(health, { checks, peers, replies, log })
  await fastify.register(assetRoutes, { assets, headers })
  await fastify.register(iconRoutes, { icons, headers })
  // Fastify's own router of unknown addresses has a parser of its own, and reads thousands of names in their queries.
  fastify.route({
    method: fastify.supportedMethods.filter((method) => method !== 'CONNECT'),
    url: '*',
    config: { guard: 'public' },
    handler: (_request, reply) => reply.callNotFound(),
  })
  await fastify.ready()
  return {
    fastify,
    handle(request, response) {
      if (!entrance.answer(request, response)) fastify.routing(request, response)
    },
    access,
    connected: peers.welcome,
  }
}

function createFastify(base: string, replies: Replies): FastifyInstance {
  const fastify = Fastify({
    // No child logger a request: it costs more than a decision. Lines carry the request's id by themselves.
    logger: false,
    requestIdHeader: false,
    ...(base !== '' && belowBase(base)),
    genReqId: requestIds(),
    schemaController: { compilersFactory: NO_SCHEMAS },
    forceCloseConnections: 'idle',
    frameworkErrors: (error, request, reply) => void replies.refuse(error, request, reply),
    routerOptions: {
      caseSensitive: true,
      ignoreTrailingSlash: false,
      querystringParser: readPairs,
    },
  })
  for (const method of METHODS) {
    if (method !== 'CONNECT' && !fastify.supportedMethods.includes(method))
      fastify.addHttpMethod(method)
  }
  return fastify
}

const belowBase = (base: string): Pick<FastifyServerOptions, 'rewriteUrl'> => ({
  rewriteUrl: ({ url = '' }) => withoutBase(url, base),
})

/** What lies below the base path is served, and so is what a proxy has taken the base path off already. */
function withoutBase(url: string, base: string): string {
  if (!url.startsWith(base)) return url
  const rest = url.slice(base.length)
  return rest === '' || rest[0] === '?' ? `/${rest}` : rest[0] === '/' ? rest : url
}

/** Short, unique over restarts and instances, and cheap: a random prefix a process, then a count. */
function requestIds(): () => string {
  const prefix = randomBytes(6).toString('base64url')
  let count = 0
  return () => `${prefix}-${(++count).toString(36)}`
}
