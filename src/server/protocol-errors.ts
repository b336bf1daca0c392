import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Pipelining } from './pipelining.ts'

/** How long a client that was refused may take to read why, before its connection is cut. Milliseconds. */
const LINGER = 1_000
/** Browsers and proxies send less than a hundred; each costs as much as a decision. */
export const MAX_HEADERS = 500

/** What Node would answer by itself, without our headers (requirement 20). */
const STATUS_TEXTS = {
  400: 'Bad Request',
  408: 'Request Timeout',
  413: 'Payload Too Large',
  417: 'Expectation Failed',
  431: 'Request Header Fields Too Large',
} as const
type Status = keyof typeof STATUS_TEXTS

const PARSER_ERRORS: Readonly<Record<string, Status>> = {
  HPE_HEADER_OVERFLOW: 431,
  HPE_CHUNK_EXTENSIONS_OVERFLOW: 413,
  ERR_HTTP_REQUEST_TIMEOUT: 408,
}

export interface ProtocolErrors {
  /** Why a request is refused before the app sees it; undefined when it is not. */
  statusOf(request: IncomingMessage): Status | undefined
  answer(response: ServerResponse, status: Status): void
  /** Answers what is no request, or none in time, and the connection is over. */
  refuse(error: NodeJS.ErrnoException, socket: Socket): void
}

/** @param headers of every answer */
export function createProtocolErrors(
  headers: Readonly<Record<string, string>>,
  pipelining: Pipelining,
): ProtocolErrors {
  const all = { ...headers, 'Content-Type': 'text/plain; charset=utf-8', Connection: 'close' }
  const head = Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
  const refused = new WeakSet<Socket>()

  const write = (socket: Socket, status: Status): void => {
    if (!socket.writable) return
    const text = `${status} ${STATUS_TEXTS[status]}`
    socket.end(`HTTP/1.1 ${text}\r\n${head}Content-Length: ${text.length}\r\n\r\n${text}`)
    // Cut at once, a client that still sends would lose the answer; never cut, one that does not close would stay.
    setTimeout(() => socket.destroy(), LINGER).unref()
  }

  return {
    statusOf(request) {
      if (request.rawHeaders.length > 2 * MAX_HEADERS) return 431
      // RFC 9112 §3.2
      const isNew = request.httpVersionMajor === 1 && request.httpVersionMinor === 1
      return isNew && !hasHost(request.rawHeaders) ? 400 : undefined
    },
    answer(response, status) {
      const text = `${status} ${STATUS_TEXTS[status]}`
      response.writeHead(status, { ...all, 'Content-Length': text.length }).end(text)
    },
    refuse(error, socket) {
      // What comes after it is not read as a request either.
      if (refused.has(socket)) return
      if (error.code === 'ECONNRESET' || !socket.writable) {
        socket.destroy()
        return
      }
      refused.add(socket)
      const status = PARSER_ERRORS[error.code ?? ''] ?? 400
      pipelining.last(socket, () => write(socket, status))
    },
  }
}

/** Reads the raw list: building `request.headers` costs as much as a decision (lean-request.ts). */
function hasHost(rawHeaders: readonly string[]): boolean {
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i] ?? ''
    if (name.length === 4 && name.toLowerCase() === 'host') return true
  }
  return false
}
