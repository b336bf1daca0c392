import http from 'node:http'
import type { AddressInfo } from 'node:net'
import type { TestContext } from 'node:test'

/** One request that went to Vestibule, and how it was answered. Texts hold one character a byte. */
export interface Exchange {
  readonly method: string
  /** The request target, as sent. */
  readonly target: string
  readonly headers: readonly (readonly [name: string, value: string])[]
  readonly status: number
}

export interface Recorder {
  readonly port: number
  /** In the order in which they were answered. */
  readonly exchanges: readonly Exchange[]
}

/** Stands between a proxy and Vestibule, hands every request on as it came, and writes down what was asked. */
export async function startRecorder(t: Pick<TestContext, 'after'>, to: number): Promise<Recorder> {
  const exchanges: Exchange[] = []
  const agent = new http.Agent({ keepAlive: true })
  const server = http.createServer({ maxHeaderSize: 256 * 1024 }, (request, response) => {
    const { method = '', url = '', rawHeaders } = request
    const onward = http.request(
      {
        host: '127.0.0.1',
        port: to,
        agent,
        method,
        path: url,
        // Node takes a flat list too; its type does not say so.
        headers: rawHeaders as unknown as http.OutgoingHttpHeaders,
        setHost: false,
        maxHeaderSize: 256 * 1024,
      },
      (answer) => {
        const status = answer.statusCode ?? 0
        exchanges.push({ method, target: url, headers: pairs(rawHeaders), status })
        response.writeHead(status, answer.rawHeaders)
        answer.pipe(response)
      },
    )
    // No answer is no answer for the proxy as well.
    onward.on('error', () => request.socket.destroy())
    request.pipe(onward)
  })
  server.on('clientError', (_error, socket) => socket.destroy())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    agent.destroy()
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, exchanges }
}

const pairs = (flat: readonly string[]): [string, string][] =>
  flat.flatMap((name, i): [string, string][] => (i % 2 === 0 ? [[name, flat[i + 1] ?? '']] : []))
