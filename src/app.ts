/**
 * The application: every feature's routes over the services. What belongs to the process (listening, signals, files watched) is
 * server/.
 */
import { randomBytes } from 'node:crypto'
import { type IncomingMessage, METHODS, type ServerResponse } from 'node:http'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import type { LiveAccess } from './features/access/index.ts'
import { ownPaths } from './features.ts'
import { guards } from './http/guard.ts'
import { noBody } from './http/no-body.ts'
import { onlyAt, withoutBase } from './http/own-paths.ts'
import type { Peers } from './http/peers.ts'
import type { Replies } from './http/replies.ts'
import type { BoundOperation } from './kernel/operation.ts'
import { readPairs } from './kernel/pairs.ts'
import { routes } from './routes.ts'
import type { Services } from './services/index.ts'
import { createSite } from './services/site.ts'

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

/** @param operations some of them have routes of the admin API */
export async function createApp(
  services: Services,
  operations: readonly BoundOperation[],
): Promise<App> {
  const site = createSite(services, operations)
  const { base, replies, entrance, access, peers } = site
  const fastify = createFastify(base, replies)
  await fastify.register(guards)
  fastify.addHook('onRoute', onlyAt(ownPaths))
  await fastify.register(noBody)
  replies.installErrorHandlers(fastify)
  for (const plugin of routes) await fastify.register(plugin, site)
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

/** Short, unique over restarts and instances, and cheap: a random prefix a process, then a count. */
function requestIds(): () => string {
  const prefix = randomBytes(6).toString('base64url')
  let count = 0
  return () => `${prefix}-${(++count).toString(36)}`
}
