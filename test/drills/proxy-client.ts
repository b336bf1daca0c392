/** A client that sends what it is told, whatever the standard says, and waits until nothing more can come of it. */
import http2 from 'node:http2'
import net from 'node:net'
import type { ProxyQuestion } from './proxy-questions.ts'

/** Milliseconds. A tunnel, and a proxy that waits for more of a request, stay open: nothing more is to be seen of them. */
const QUIET = 150
/** Of a request that a proxy waits for the rest of, nothing is to be seen either. What comes later counts with the next question. */
const PATIENCE = 1_500

/** The status of the first answer; 0: there was none. */
export const send = (port: number, question: ProxyQuestion): Promise<number> =>
  question.kind === 'http1'
    ? sendBytes(port, question.bytes, question.inner)
    : sendStream(port, question.headers, question.inner)

function sendBytes(port: number, bytes: string, inner: string): Promise<number> {
  const isHead = /^\s*HEAD /i.test(bytes)
  const isConnect = /^\s*CONNECT /i.test(bytes)
  return new Promise((resolve) => {
    let answer = ''
    let isInnerSent = false
    const socket = net.connect({ host: '127.0.0.1', port }, () =>
      socket.write(Buffer.from(bytes, 'latin1')),
    )
    const end = () => {
      socket.destroy()
      resolve(Number(/^HTTP\/[\d.]+ (\d{3})/.exec(answer)?.[1] ?? 0))
    }
    socket.setTimeout(PATIENCE, end)
    socket.on('data', (chunk: Buffer) => {
      answer += chunk.toString('latin1')
      if (!isAnswered(answer, isHead, isConnect) || isInnerSent) return
      if (inner === '' && !bytes.includes('\r\n\r\nGET ') && !isConnect) return end()
      isInnerSent = true
      socket.setTimeout(QUIET, end)
      socket.write(inner)
    })
    socket.on('close', end)
    socket.on('error', end)
  })
}

function isAnswered(answer: string, isHead: boolean, isConnect: boolean): boolean {
  const end = answer.indexOf('\r\n\r\n')
  if (end === -1) return false
  const head = answer.slice(0, end)
  const status = Number(/^HTTP\/[\d.]+ (\d{3})/.exec(head)?.[1] ?? 0)
  if (status === 100) return isAnswered(answer.slice(end + 4), isHead, isConnect)
  if (isHead || status === 101 || status === 204 || status === 304) return true
  if (isConnect && status < 300) return true
  if (/^transfer-encoding: chunked/im.test(head)) return answer.includes('\r\n0\r\n\r\n', end)
  const length = /^content-length: (\d+)/im.exec(head)?.[1]
  return length !== undefined && answer.length >= end + 4 + Number(length)
}

/** With prior knowledge, without TLS (RFC 9113 §3.3). */
function sendStream(
  port: number,
  headers: Readonly<Record<string, string>>,
  inner: string,
): Promise<number> {
  return new Promise((resolve) => {
    const session = http2.connect(`http://127.0.0.1:${port}`)
    let status = 0
    let wait = setTimeout(() => end(), PATIENCE)
    const end = () => {
      clearTimeout(wait)
      session.destroy()
      resolve(status)
    }
    session.on('error', end)
    session.on('close', end)
    // Some leave the connection open for a while after what they take for no HTTP.
    session.on('goaway', end)
    const begin = () => {
      try {
        const isTunnel = headers[':method'] === 'CONNECT'
        const stream = session.request(headers, { endStream: false })
        // Of anything else it is the body.
        if (!isTunnel) stream.end(inner)
        stream.on('response', (answer) => {
          status = Number(answer[':status'] ?? 0)
          if (!isTunnel) return
          clearTimeout(wait)
          wait = setTimeout(end, QUIET)
          stream.write(inner)
        })
        stream.on('error', end)
        stream.on('close', end)
        stream.resume()
      } catch {
        // Node sends no such thing.
        end()
      }
    }
    // Whether a CONNECT may name a protocol is in the server's settings.
    if (':protocol' in headers) session.once('remoteSettings', begin)
    else begin()
  })
}
