import { createHmac } from 'node:crypto'
import type { ClientRequest, IncomingMessage } from 'node:http'
import type { BaseLogger } from 'pino'
import type { Clock } from '../../../kernel/clock.ts'
import type { Secret } from '../../../kernel/secret.ts'
import type { AuditEvent } from '../event.ts'
import type { EventName } from '../events.ts'
import type { Sink } from '../sink.ts'

export interface WebhookOptions {
  readonly url: string
  readonly secret: Secret
  /** Undefined: all. */
  readonly events: readonly EventName[] | undefined
  /** Milliseconds until a post without answer counts as failed. */
  readonly timeout: number
  /** Certificates that are trusted, all of them; undefined: Node's. */
  readonly trusted: readonly string[] | undefined
  readonly clock: Clock
  readonly log: Pick<BaseLogger, 'warn' | 'error'>
  /** Milliseconds before the second try, the third, and so on; after the last one the event is given up. */
  readonly pauses?: readonly number[]
}

/** Ten tries in about three hours. */
const PAUSES = [1, 5, 15, 60, 300, 900, 1800, 3600, 3600].map((seconds) => seconds * 1000)
/** Some 600 bytes each. */
const MAX_WAITING = 1_000
/** What a shutdown gives a receiver that is quick. */
const LAST_CHANCE = 2_000

/**
 * Posts events, one at a time and in order, signed as https://www.standardwebhooks.com describes it. No request
 * waits for it: the queue is bounded, and what does not fit is counted and said. It lives in memory: a restart empties it.
 */
export function createWebhookSink(options: WebhookOptions): Sink {
  const { events, clock, log, pauses = PAUSES } = options
  const key = keyOf(options.secret)
  const waiting: AuditEvent[] = []
  const stop = new AbortController()
  let dropped = 0
  let working: Promise<void> | undefined

  const work = async (): Promise<void> => {
    for (;;) {
      const [event] = waiting
      if (event === undefined || stop.signal.aborted) return
      await deliver(event)
      if (stop.signal.aborted) return
      waiting.shift()
      if (dropped > 0)
        log.error(
          { count: dropped },
          'audit events were not posted: the webhook is too slow, or away',
        )
      dropped = 0
    }
  }

  const deliver = async (event: AuditEvent): Promise<void> => {
    const body = bodyOf(event)
    for (let attempt = 0; !stop.signal.aborted; attempt++) {
      const headers = headersOf(event, body, key, Math.floor(clock.now() / 1000))
      const outcome = await post(headers, body, options, stop.signal)
      if (outcome.kind === 'taken' || stop.signal.aborted) return
      const pause = pauses[attempt]
      const fields = {
        event: event.name,
        id: event.id,
        problem: outcome.problem,
        attempt: attempt + 1,
      }
      if (outcome.kind === 'refused' || pause === undefined) {
        log.error(fields, 'an audit event was not posted, and is given up')
        return
      }
      if (attempt === 0) log.warn(fields, 'an audit event was not posted; it is tried again')
      await pausing(Math.max(pause, outcome.retryAfter), stop.signal)
    }
  }

  return {
    take(event) {
      if (events !== undefined && !events.includes(event.name)) return
      if (waiting.length >= MAX_WAITING) {
        dropped++
        return
      }
      waiting.push(event)
      working ??= work().finally(() => {
        working = undefined
      })
    },
    async close() {
      if (stop.signal.aborted) return
      const left = setTimeout(() => stop.abort(), LAST_CHANCE)
      await working
      clearTimeout(left)
      stop.abort()
      if (waiting.length > 0)
        log.warn({ count: waiting.length }, 'audit events were not posted before the end')
    },
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

function headersOf({ id }: AuditEvent, body: string, key: Buffer, seconds: number) {
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

type Outcome =
  | { readonly kind: 'taken' }
  | { readonly kind: 'failed'; readonly problem: string; readonly retryAfter: number }
  /** Trying again would not help. */
  | { readonly kind: 'refused'; readonly problem: string }

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
    if (code >= 200 && code < 300) return { kind: 'taken' }
    const problem = `it answered ${code}`
    // Redirects among them: they could lead anywhere.
    if (code < 500 && code !== 408 && code !== 425 && code !== 429)
      return { kind: 'refused', problem }
    return { kind: 'failed', problem, retryAfter }
  } catch (error) {
    const problem = error instanceof Error ? error.message || error.name : String(error)
    return { kind: 'failed', problem, retryAfter: 0 }
  }
}

/** `Retry-After` in milliseconds, an hour at most; the form with a date is left alone. */
function secondsOf(header: string | undefined): number {
  return /^\d{1,6}$/.test(header ?? '') ? Math.min(Number(header) * 1000, 3_600_000) : 0
}

/** Ends early, without an error, when it is time to stop. */
function pausing(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer)
      signal.removeEventListener('abort', done)
      resolve()
    }
    const timer = setTimeout(done, ms).unref()
    signal.addEventListener('abort', done)
  })
}
