import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Clock } from '../../kernel/clock.ts'
import type { AttemptQueue } from './attempt-queue.ts'
import type { Delay } from './delay.ts'

/** What came of an attempt. */
export interface Checked {
  /** When its check began, by the monotonic clock. */
  readonly began: number
  /** What it took counts for the mean then. */
  readonly right: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /**
     * Answers of this route depend on a name or a password: they are held back. `checked`: those alone for which a password
     * was checked, whatever their status; the route takes other proofs too.
     */
    delayed?: true | 'checked'
  }
  interface FastifyRequest {
    /** By the monotonic clock. */
    arrival: number
    /** Set when a password was checked for a delayed route. */
    checked: Checked | null
  }
}

/** These are answered without reading name or password. */
const AT_ONCE: ReadonlySet<number> = new Set([400, 403, 404, 405, 413, 415, 429, 503])

export interface DelayOptions {
  readonly delay: Delay
  readonly queue: AttemptQueue
  readonly clock: Clock
  /** Whether a request says that it comes from a known device. Asked before anything else of it is read. */
  readonly isClaim: (request: FastifyRequest) => boolean
}

/**
 * Holds back the answers of the routes with `config: { delayed: … }`.
 *
 * Registered before any other hook of its context, so that the arrival is one.
 */
export const delayPlugin = fp<DelayOptions>(
  async (app, { delay, queue, clock, isClaim }) => {
    app.decorateRequest('arrival', 0)
    app.decorateRequest('checked', null)
    app.addHook('onRequest', function notesTheArrival(request, _reply, done) {
      request.arrival = clock.monotonic()
      if (request.routeOptions.config.delayed !== undefined) queue.wait(done, isClaim(request))
      else done()
    })
    app.addHook('onSend', async function holdsBack(request, reply) {
      const { delayed } = request.routeOptions.config
      const { checked, arrival } = request
      if (delayed === undefined || (delayed === 'checked' && checked === null)) return
      if (delayed === true && AT_ONCE.has(reply.statusCode)) return
      const began = checked?.began ?? arrival
      // Without the time in the queue: after a storm, every answer would be held back for as long as the queue was.
      if (checked?.right) delay.succeeded(clock.monotonic() - began)
      // What was typed need not stay in memory for the time of the wait.
      request.body = undefined
      // From the begin of its check: the last one of a queue too leaves at a time that says nothing about its check.
      await delay.hold(began, request.raw.socket)
    })
  },
  { name: 'adaptive-delay' },
)
