import { createHmac } from 'node:crypto'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { BaseLogger } from 'pino'
import type { Clock, EpochMs } from '../../../kernel/clock.ts'
import type { Secret } from '../../../kernel/secret.ts'
import type { Outbox, Outcome, Route } from '../../outbox/index.ts'
import type { AuditEvent } from '../event.ts'
import type { EventName } from '../events.ts'
import type { Sink } from '../sink.ts'
import { createGatheringSink } from './gathering.ts'

/** The channel of the outbox. */
export const WEBHOOK = 'webhook'

/** While the database takes nothing; what it took, it keeps. */
const MAX_WAITING = 1_000
/** An event that could not be posted for so long is given up. */
const KEPT = 86_400_000

/** Hands events to the outbox, whose id of each is the event's: what is handed over twice is posted once. */
export function createWebhookSink({
  events: asked,
  outbox,
  clock,
  log,
}: {
  /** Undefined: all. */
  readonly events: readonly EventName[] | undefined
  /** With the channel `WEBHOOK`. */
  readonly outbox: Pick<Outbox, 'add'>
  readonly clock: Clock
  readonly log: Pick<BaseLogger, 'error'>
}): Sink {
  const sink = createGatheringSink({
    write: (events) =>
      outbox.add(
        ...events.map((event) => ({
          ...{ channel: WEBHOOK, id: event.id, kind: event.name, payload: bodyOf(event) },
          // A time plus a duration is a time; arithmetic drops the brand.
          expiresAt: (clock.now() + KEPT) as EpochMs,
        })),
      ),
    most: MAX_WAITING,
    words: {
      waits: 'audit events for the webhook wait: the outbox does not take them',
      lost: 'audit events were not posted: the outbox did not take them for too long',
    },
    log,
  })
  return {
    take(event) {
      if (asked === undefined || asked.includes(event.name)) sink.take(event)
    },
    close: () => sink.close(),
  }
}

export interface WebhookOptions {
  readonly url: string
  readonly secret: Secret
  /** Milliseconds until a post without answer counts as failed. */
  readonly timeout: number
  /** Certificates that are trusted, all of them; undefined: Node's. */
  readonly trusted: readonly string[] | undefined
  readonly clock: Clock
}

/** Posts events as https://www.standardwebhooks.com describes it: one at a time, signed with the time of each try. */
export function createWebhookRoute(options: WebhookOptions): Route {
  const { clock } = options
  const key = keyOf(options.secret)
  return {
    parallel: 1,
    deliver: (body, id, signal) =>
      post(headersOf(id, body, key, Math.floor(clock.now() / 1000)), body, options, signal),
  }
}

/** `whsec_` and base64, as the specification writes a secret; anything else is taken as it is. */
function keyOf(secret: Secret): Buffer {
  const text = secret.reveal()
  const encoded = /^whsec_([A-Za-z0-9+/]+={0,2})$/.exec(text)?.[1]
  return encoded === undefined ? Buffer.from(text, 'utf8') : Buffer.from(encoded, 'base64')
}

const bodyOf = ({
  id,
  time,
  name,
  user,
  actor,
  address,
  userAgent,
  requestId,
  details,
}: AuditEvent) =>
  JSON.stringify({
    type: name,
    timestamp: new Date(time).toISOString(),
    data: { id, user, actor, address, user_agent: userAgent, request_id: requestId, details },
  })

function headersOf(id: string, body: string, key: Buffer, seconds: number) {
  const signature = createHmac('sha256', key).update(`${id}.${seconds}.${body}`).digest('base64')
  return {
    'Content-Type': 'application/json',
    'Content-Length': Buffer.byteLength(body),
    'User-Agent': 'Vestibule',
    'Webhook-Id': id,
    'Webhook-Timestamp': String(seconds),
    'Webhook-Signature': `v1,${signature}`,
  }
}

async function post(
  headers: Readonly<Record<string, string | number>>,
  body: string,
  { url, timeout, trusted }: WebhookOptions,
  stop: AbortSignal,
): Promise<Outcome> {
  const secure = new URL(url).protocol === 'https:'
  const { request } = secure ? await import('node:https') : await import('node:http')
  const signal = AbortSignal.any([stop, AbortSignal.timeout(timeout)])
  try {
    const status = await new Promise<{ code: number; retryAfter: number }>((resolve, reject) => {
      const sent: ClientRequest = request(
        url,
        { method: 'POST', headers, agent: false, signal, ...(trusted && { ca: [...trusted] }) },
        (answer: IncomingMessage) => {
          resolve({
            code: answer.statusCode ?? 0,
            retryAfter: secondsOf(answer.headers['retry-after']),
          })
          // The body of the answer is not read.
          answer.on('error', () => {})
          sent.destroy()
        },
      )
      sent.on('error', reject)
      sent.end(body)
    })
    const { code, retryAfter } = status
    if (code >= 200 && code < 300) return { kind: 'sent' }
    const problem = `it answered ${code}`
    // Redirects among them: they could lead anywhere.
    if (code < 500 && code !== 408 && code !== 425 && code !== 429)
      return { kind: 'refused', problem }
    return { kind: 'failed', problem, retryAfter }
  } catch (error) {
    const problem = error instanceof Error ? error.message || error.name : String(error)
    return { kind: 'failed', problem }
  }
}

/** `Retry-After` in milliseconds, an hour at most; the form with a date is left alone. */
function secondsOf(header: string | undefined): number {
  return /^\d{1,6}$/.test(header ?? '') ? Math.min(Number(header) * 1000, 3_600_000) : 0
}
