import type { FastifyRequest } from 'fastify'
import fp from 'fastify-plugin'
import type { Clock } from '../../kernel/clock.ts'
import type { Delay } from './delay.ts'
import type { Turns } from './turns.ts'

/** What came of an attempt. */
export interface Checked {
  /** When its turn came, by the monotonic clock. */
  readonly began: number
  /** What it took counts for the mean then. */
  readonly right: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answers of this route depend on a name or a password: they are held back. */
    delayed?: boolean
  }
  interface FastifyRequest {
    /** By the monotonic clock. */
    arrival: number
    /** Set by the handler of a delayed route when a password was looked at. */
    checked: Checked | null
  }
}

/** These are said without a look at name or password. */
const AT_ONCE: ReadonlySet<number> = new Set([400, 403, 404, 405, 413, 415, 429, 503])

export interface DelayOptions {
  readonly delay: Delay
  readonly turns: Turns
  readonly clock: Clock
  /** Whether a request says that it comes from a known device. Asked before anything of it is looked at. */
  readonly isClaim: (request: FastifyRequest) => boolean
}

/**
 * Holds back the answers of the routes with `config: { delayed: true }` (measure 3).
 *
 * Registered before any other hook of its context, so that the arrival is one.
 */
export const delayPlugin = fp<DelayOptions>(
  async (app, { delay, turns, clock, isClaim }) => {
    app.decorateRequest('arrival', 0)
    app.decorateRequest('checked', null)
    app.addHook('onRequest', function notesTheArrival(request, _reply, done) {
      request.arrival = clock.monotonic()
      if (request.routeOptions.config.delayed === true) turns.wait(done, isClaim(request))
      else done()
    })
    app.addHook('onSend', async function holdsBack(request, reply) {
      if (request.routeOptions.config.delayed !== true || AT_ONCE.has(reply.statusCode)) return
      const { checked, arrival } = request
      const began = checked?.began ?? arrival
      // A queue is nobody's work: after a storm, everybody would be held back for as long as it was.
      if (checked?.right) delay.succeeded(clock.monotonic() - began)
      // What was typed need not stay in memory for the time of the wait.
      request.body = undefined
      // From its turn on: the last one of a queue too leaves at a time that says nothing about its own check.
      await delay.hold(began, request.raw.socket)
    })
  },
  { name: 'adaptive-delay' },
)
