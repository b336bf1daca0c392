/**
 * Whether the server lives, and whether it can do its work. No header or query turns these into an authorisation
 * (advisory 10): they are paths of their own and say nothing about any target.
 *
 *   GET /api/health         the process answers
 *   GET /api/health/ready   every store answers; 503 when one does not
 */
import type { FastifyPluginAsync } from 'fastify'
import type { Logger } from 'pino'
import { refuseQuestion } from '../../http/misdirected.ts'
import type { Peers } from '../../http/peers.ts'
import { koBody, okBody, type Replies } from '../../http/replies.ts'
import { isLoopback } from '../../kernel/host.ts'

export interface HealthOptions {
  /** What has to answer, by name. Each rejects when it doesn't. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>
  readonly peers: Peers
  readonly replies: Replies
  readonly log: Logger
}

const RETRY_AFTER_SECONDS = 5

export const health: FastifyPluginAsync<HealthOptions> = async (
  app,
  { checks, peers, replies, log },
) => {
  app.addHook('onRequest', async (request) => refuseQuestion(request))
  app.get('/api/health', { config: { guard: 'public' } }, (_request, reply) =>
    replies.json(reply, okBody()),
  )
  app.get('/api/health/ready', { config: { guard: 'public' } }, async (request, reply) => {
    const down: string[] = []
    for (const [name, check] of Object.entries(checks)) {
      try {
        await check()
      } catch (error) {
        down.push(name)
        log.error({ store: name, err: error }, 'a store does not answer')
      }
    }
    if (down.length === 0) return replies.json(reply, okBody())
    // Which one is the operator's business: strangers read "unavailable".
    const { socket, headers } = request.raw
    const direct = headers['x-forwarded-for'] === undefined
    const insider = direct && (peers.trusts(socket) || isLoopback(peers.addressOf(socket)))
    const message = insider ? `unavailable: ${down.join(', ')}` : 'unavailable'
    reply.header('Retry-After', String(RETRY_AFTER_SECONDS))
    return replies.json(reply, koBody(message), 503)
  })
}
