import { Readable } from 'node:stream'
import fp from 'fastify-plugin'

/**
 * Node makes no stream for a request that announces no body (`optimizeEmptyRequests` in listen.ts): it has ended before
 * a listener is there, and Fastify's parsers would wait for its end without end. They get an empty stream.
 */
export const noBody = fp(
  async (app) => {
    app.addHook('preParsing', function emptyStream(_request, _reply, payload, done) {
      const isOver = payload instanceof Readable && payload.readableEnded
      done(null, isOver ? Readable.from([]) : payload)
    })
  },
  { name: 'no-body' },
)
