import http from 'node:http'
import net from 'node:net'

/** Bytes that no HTTP client would send; the answer as bytes, once it is complete or the connection is closed. */
export function raw(
  port: number,
  requestLine: string,
  headers: readonly string[],
  body = '',
  localAddress?: string,
): Promise<string> {
  return new Promise((resolve, reject) => {
    const closing = headers.some((line) => /^connection:/i.test(line)) ? [] : ['Connection: close']
    let answer = ''
    const from = localAddress === undefined ? {} : { localAddress }
    const socket = net.connect({ host: '127.0.0.1', port, ...from }, () =>
      socket.write(`${[requestLine, ...headers, ...closing].join('\r\n')}\r\n\r\n${body}`),
    )
    const done = () => {
      socket.destroy()
      resolve(answer)
    }
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
      // Some wait a second for us to close.
      if (isComplete(answer)) done()
    })
    socket.on('end', done)
    // Longer than the slowest of them waits for an answer from Vestibule; then the test says what there was.
    socket.setTimeout(20_000, done)
    socket.on('error', (error: NodeJS.ErrnoException) =>
      error.code === 'ECONNRESET' ? done() : reject(error),
    )
  })
}

function isComplete(answer: string): boolean {
  const end = answer.indexOf('\r\n\r\n')
  if (end === -1) return false
  const head = answer.slice(0, end)
  // A tunnel has no end.
  if (/^HTTP\/1\.1 101 /.test(head)) return true
  if (/^transfer-encoding: chunked/im.test(head)) return answer.endsWith('\r\n0\r\n\r\n')
  const length = /^content-length: (\d+)/im.exec(head)?.[1]
  return length !== undefined && answer.length >= end + 4 + Number(length)
}

/** Opens a websocket at `/socket`; what was answered, and the first word said through it. */
export function openSocket(
  port: number,
  host: string,
  headers: Readonly<Record<string, string>>,
): Promise<{ status: number; said: string }> {
  return new Promise((resolve, reject) => {
    const sent = http.request({
      host: '127.0.0.1',
      port,
      path: '/socket',
      agent: false,
      headers: {
        Host: `${host}:${port}`,
        Connection: 'Upgrade',
        Upgrade: 'websocket',
        'Sec-WebSocket-Version': '13',
        'Sec-WebSocket-Key': Buffer.from('sixteen bytes !!').toString('base64'),
        ...headers,
      },
    })
    sent.on('upgrade', (answer, socket, head) => {
      const done = (bytes: Buffer) => {
        socket.destroy()
        resolve({ status: answer.statusCode ?? 0, said: bytes.subarray(2).toString() })
      }
      if (head.length > 2) done(head)
      else socket.once('data', done)
    })
    sent.on('response', (answer) => {
      answer.resume()
      resolve({ status: answer.statusCode ?? 0, said: '' })
    })
    sent.on('error', reject)
    sent.end()
  })
}
