import fp from 'fastify-plugin'
import type { Clock } from '../../kernel/clock.ts'
import type { Delay } from './delay.ts'
import { createTurns } from './turns.ts'

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answers of this route depend on a name or a password: they are held back. */
    delayed?: boolean
  }
  interface FastifyRequest {
    /** By the monotonic clock. */
    arrival: number
    /**
     * Set by the handler of a delayed route when the password was right: what it took counts for the mean, without the
     * milliseconds that it waited for its turn.
     */
    success: { readonly waited: number } | null
  }
}

/** These are said without a look at name or password. */
const AT_ONCE: ReadonlySet<number> = new Set([400, 403, 404, 405, 413, 415, 429, 503])

/**
 * Holds back the answers of the routes with `config: { delayed: true }` (measure 3).
 *
 * Registered before any other hook of its context, so that the arrival is one.
 */
export const delayPlugin = fp<{ readonly delay: Delay; readonly clock: Clock }>(
  async (app, { delay, clock }) => {
    const inTurn = createTurns()
    app.decorateRequest('arrival', 0)
    app.decorateRequest('success', null)
    app.addHook('onRequest', function notesTheArrival(request, _reply, done) {
      request.arrival = clock.monotonic()
      if (request.routeOptions.config.delayed === true) inTurn(done)
      else done()
    })
    app.addHook('onSend', async function holdsBack(request, reply) {
      if (request.routeOptions.config.delayed !== true || AT_ONCE.has(reply.statusCode)) return
      const { success, arrival } = request
      // A queue is nobody's work: after a storm, everybody would be held back for as long as it was.
      if (success !== null) delay.succeeded(clock.monotonic() - arrival - success.waited)
      // What was typed need not stay in memory for the time of the wait.
      request.body = undefined
      await delay.hold(request.arrival, request.raw.socket)
    })
  },
  { name: 'adaptive-delay' },
)
