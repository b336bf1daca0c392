import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyPluginAsync, FastifyReply, FastifyRequest } from 'fastify'
import { AppError } from '../../kernel/errors.ts'
import { writeAllowed } from './allowed.ts'
import { type Answer, createAnswer } from './answer.ts'
import { createCredentials } from './credentials.ts'
import { type Endpoint, endpointsOf } from './endpoints.ts'
import type { Begun } from './entrance.ts'
import { judge } from './judgement.ts'
import type { VerifyOptions } from './options.ts'
import { userOf } from './walk.ts'
import { createWalker, type Walker } from './walker.ts'

export const verify: FastifyPluginAsync<VerifyOptions> = async (app, options) => {
  const { config, present } = options
  const walker = createWalker(options)
  const answer = createAnswer(options)
  for (const endpoint of endpointsOf(config['server.endpoints'].authz)) {
    const begin = createBegin(endpoint, walker)
    options.entrance.mount(endpoint, {
      begin,
      allow(walk, identity, response) {
        if (walker.decide(walk, userOf(identity)).kind !== 'allow') return false
        writeAllowed(response, present(identity?.profile))
        return true
      },
    })
    mountRoutes(app, endpoint, createHook(endpoint, begin, { walker, answer, options }))
  }
}

type Begin = (request: IncomingMessage, url: string) => Begun

function createBegin(endpoint: Endpoint, walker: Walker): Begin {
  const takesCookies = endpoint.strategies.some(({ name }) => name === 'CookieSession')
  return (request, url) => {
    const walk = walker.read(endpoint, request, url)
    return { walk, identity: takesCookies ? walker.identify(walk) : undefined }
  }
}

type Hook = (request: FastifyRequest, reply: FastifyReply, done: (error: Error) => void) => void

/** The walk: where the entrance has begun it already, it is taken over there. */
function createHook(
  endpoint: Endpoint,
  begin: Begin,
  {
    walker,
    answer,
    options,
  }: { readonly walker: Walker; readonly answer: Answer; readonly options: VerifyOptions },
): Hook {
  const credentials = createCredentials(endpoint, options)
  return (request, reply, done) => {
    // A failure is not a yes: the error handler answers 4xx or 5xx.
    const refused = (error: unknown) =>
      done(error instanceof Error ? error : new Error('verify failed', { cause: error }))
    try {
      const { raw } = request
      const { walk, identity } = options.entrance.take(endpoint, raw) ?? begin(raw, raw.url ?? '')
      const conclude = (found: Awaited<typeof identity>): void | Promise<void> => {
        const judged = judge(walker, credentials, walk, found, request)
        if (judged instanceof Promise)
          return judged.then((judgement) => answer(judgement, walk, request, reply))
        answer(judged, walk, request, reply)
      }
      const answered = identity instanceof Promise ? identity.then(conclude) : conclude(identity)
      answered?.catch(refused)
    } catch (error) {
      refused(error)
    }
  }
}

function mountRoutes(app: FastifyInstance, { path, dialect }: Endpoint, hook: Hook): void {
  for (const url of dialect.takesTail ? [path, `${path}/*`] : [path]) {
    app.route({
      method: app.supportedMethods.filter((method) => method !== 'CONNECT'),
      url,
      config: { guard: 'public' },
      onRequest: function verifyWalk(request, reply, done) {
        hook(request, reply, done)
      },
      handler: function neverReached() {
        throw new AppError('INTERNAL', { reason: 'a verify request passed its own hook' })
      },
    })
  }
}
