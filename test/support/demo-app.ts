import { createHash } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** What the app behind the proxy saw of one request. */
export interface Seen {
  readonly method: string
  readonly url: string
  /** Name and value as they came, repeats included. */
  readonly headers: readonly (readonly [string, string])[]
  readonly body: string
}

export interface DemoApp {
  readonly port: number
  readonly seen: Seen[]
  /** The values of one header of the latest request, by any spelling that a CGI-style app would fold together. */
  folded(name: string): readonly string[]
}

/**
 * A protected app: shows a page, echoes what it saw as JSON, and speaks enough websocket to say one word. It answers CONNECT
 * and TRACE like anything else, as a HandlerFunc of Go does, and reads on: what comes through such a tunnel is a request.
 */
export async function startDemoApp(t: Pick<TestContext, 'after'>): Promise<DemoApp> {
  const seen: Seen[] = []
  const server = http.createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      seen.push(record(request, Buffer.concat(chunks).toString()))
      if (request.url?.startsWith('/own-401'))
        return void response.writeHead(401).end('the app says 401')
      if (request.url?.startsWith('/own-403'))
        return void response.writeHead(403).end('the app says 403')
      const last = seen.at(-1)
      if (request.headers.accept?.includes('text/html')) {
        response.setHeader('content-type', 'text/html')
        response.end(
          `<!doctype html><title>Demo app</title><h1>Demo app</h1><pre id="url">${escapeHtml(request.url ?? '')}</pre>`,
        )
      } else {
        response.setHeader('content-type', 'application/json')
        response.end(JSON.stringify(last))
      }
    })
  })
  server.on('upgrade', (request, socket) => {
    seen.push(record(request, ''))
    const accept = createHash('sha1')
      .update(`${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
      .digest('base64')
    socket.write(
      `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\n\r\n`,
    )
    // One unmasked text frame (RFC 6455 §5.2).
    socket.write(Buffer.concat([Buffer.of(0x81, 5), Buffer.from('hello')]))
    socket.on('error', () => socket.destroy())
  })
  server.on('connect', (request, socket, head) => {
    seen.push(record(request, ''))
    socket.on('error', () => socket.destroy())
    socket.write('HTTP/1.1 200 OK\r\n\r\n')
    socket.unshift(head)
    server.emit('connection', socket)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  return {
    port: (server.address() as AddressInfo).port,
    seen,
    folded(name) {
      const fold = (text: string) => text.toLowerCase().replace(/[-.]/g, '_')
      return (seen.at(-1)?.headers ?? [])
        .filter(([header]) => fold(header) === fold(name))
        .map(([, value]) => value)
    },
  }
}

function record(request: http.IncomingMessage, body: string): Seen {
  const headers: [string, string][] = []
  for (let i = 0; i + 1 < request.rawHeaders.length; i += 2)
    headers.push([request.rawHeaders[i] ?? '', request.rawHeaders[i + 1] ?? ''])
  return { method: request.method ?? '', url: request.url ?? '', headers, body }
}

const escapeHtml = (text: string) => text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)
