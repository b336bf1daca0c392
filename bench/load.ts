/**
 * A load generator of few parts: keeps one request outstanding on each of its connections and counts whole answers.
 * Raw sockets, because a client that parses properly costs more than the servers it measures.
 */
import { connect, type Socket } from 'node:net'

export interface LoadOptions {
  readonly port: number
  /** Whole requests, head and blank line; sent in turn. Answers must carry Content-Length and no body over 64 KiB. */
  readonly requests: readonly Buffer[]
  readonly connections: number
  /** Milliseconds. */
  readonly duration: number
}

export interface LoadResult {
  readonly answers: number
  readonly perSecond: number
  /** Milliseconds. */
  readonly p50: number
  readonly p99: number
  /** Answers by status. */
  readonly statuses: Readonly<Record<string, number>>
}

/** Latencies are kept in steps of 10 µs up to a second. */
const STEP = 0.01
const STEPS = 100_000

export async function load({
  port,
  requests,
  connections,
  duration,
}: LoadOptions): Promise<LoadResult> {
  const histogram = new Uint32Array(STEPS + 1)
  const statuses: Record<string, number> = {}
  let answers = 0
  let next = 0
  let open = true
  const sockets: Socket[] = []

  const run = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      sockets.push(socket)
      let sentAt = 0
      let pending: Buffer | undefined
      const send = () => {
        sentAt = performance.now()
        socket.write(requests[next++ % requests.length] ?? '')
      }
      socket.once('connect', send)
      socket.on('data', (chunk) => {
        const bytes = pending === undefined ? chunk : Buffer.concat([pending, chunk])
        const head = bytes.indexOf('\r\n\r\n')
        if (head === -1) {
          pending = bytes
          return
        }
        const text = bytes.toString('latin1', 0, head)
        const length = /\r\nContent-Length: (\d+)/i.exec(text)?.[1] ?? '0'
        if (bytes.length < head + 4 + Number(length)) {
          pending = bytes
          return
        }
        pending = undefined
        const status = text.slice(9, 12)
        statuses[status] = (statuses[status] ?? 0) + 1
        answers++
        const step = Math.min(STEPS, Math.floor((performance.now() - sentAt) / STEP))
        histogram[step] = (histogram[step] ?? 0) + 1
        if (open) send()
        else socket.destroy()
      })
      socket.once('close', () => resolve())
      socket.once('error', reject)
    })

  const started = performance.now()
  const all = Array.from({ length: connections }, run)
  await new Promise((resolve) => setTimeout(resolve, duration))
  open = false
  const elapsed = performance.now() - started
  const counted = answers
  setTimeout(() => {
    for (const socket of sockets) socket.destroy()
  }, 500).unref()
  await Promise.all(all)
  return {
    answers: counted,
    perSecond: (counted / elapsed) * 1000,
    p50: quantile(histogram, answers, 0.5),
    p99: quantile(histogram, answers, 0.99),
    statuses,
  }
}

function quantile(histogram: Uint32Array, total: number, q: number): number {
  let seen = 0
  for (let i = 0; i < histogram.length; i++) {
    seen += histogram[i] ?? 0
    if (seen >= total * q) return i * STEP
  }
  return STEPS * STEP
}

/** One GET with these headers, ready to be sent. */
export function request(path: string, headers: Readonly<Record<string, string>>): Buffer {
  const lines = Object.entries({ Host: '127.0.0.1', ...headers }).map(
    ([name, value]) => `${name}: ${value}\r\n`,
  )
  return Buffer.from(`GET ${path} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1')
}
