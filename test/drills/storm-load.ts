/**
 * Asks /verify at a fixed rate whatever becomes of the answers (open loop: a slow answer delays no question, and its time
 * counts from when it was due), until its standard input ends; then prints what it saw as one line of JSON. A program of
 * its own, to be run niced.
 *
 *     node storm-load.ts <port> <per second> <cookie>
 */
import { connect } from 'node:net'

const [port = '', rate = '', cookie = ''] = process.argv.slice(2)
const PER_SECOND = Number(rate)
const LINES = 32
const REQUEST = Buffer.from(
  `GET /api/authz/auth-request HTTP/1.1\r\nHost: vestibule\r\nX-Original-Method: GET\r\n` +
    `X-Original-URL: http://app.vestibule.localhost/\r\nCookie: ${cookie}\r\n\r\n`,
)

const times: number[] = []
let failed = 0
let asked = 0
let done = false

/** Connections in turn; answers on one come in the order of its questions. */
const lines = Array.from({ length: LINES }, () => {
  const due: number[] = []
  const socket = connect({ port: Number(port), host: '127.0.0.1', noDelay: true })
  socket.setEncoding('latin1')
  let rest = ''
  socket.on('data', (chunk: string) => {
    rest += chunk
    for (let end = rest.indexOf('\r\n\r\n'); end !== -1; end = rest.indexOf('\r\n\r\n')) {
      const head = rest.slice(0, end)
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0)
      if (rest.length < end + 4 + length) return
      rest = rest.slice(end + 4 + length)
      const began = due.shift() ?? 0
      times.push(performance.now() - began)
      if (!head.startsWith('HTTP/1.1 200')) failed++
    }
  })
  const lost = () => {
    failed += due.splice(0).length
  }
  socket.on('error', lost)
  socket.on('close', lost)
  return { socket, due }
})

const began = performance.now()
const timer = setInterval(() => {
  const now = performance.now()
  while (!done && began + (asked * 1000) / PER_SECOND <= now) {
    const line = lines[asked % LINES]
    line?.due.push(began + (asked * 1000) / PER_SECOND)
    line?.socket.write(REQUEST)
    asked++
  }
}, 1)

process.stdin.resume()
process.stdin.on('end', () => {
  done = true
  setTimeout(() => {
    clearInterval(timer)
    for (const { socket, due } of lines) {
      failed += due.length
      due.length = 0
      socket.destroy()
    }
    times.sort((a, b) => a - b)
    const at = (part: number) => times[Math.min(times.length - 1, Math.floor(part * times.length))]
    console.log(
      JSON.stringify({ asked, answered: times.length, failed, p50: at(0.5), p99: at(0.99) }),
    )
  }, 1000)
})
