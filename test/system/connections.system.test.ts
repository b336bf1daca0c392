/** What each connection is held to: requests sent ahead, and the answers that Node would write by itself. */
import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { before, suite, test } from 'node:test'
import { suiteCleanup } from '../support/cleanup.ts'
import { cpuOf } from '../support/cpu.ts'
import { freePort } from '../support/nginx.ts'
import { type RunningServer, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

const HOST = 'Host: auth.vestibule.localhost'
/** One of each kind: a page, an error page, JSON, text, a file, a question of a proxy. */
const PATHS = ['/', '/nothing', '/api/state', '/api/nothing', '/api/health', '/%zz', '/verify']

suite('a connection', () => {
  const t = suiteCleanup()
  let server: RunningServer

  before(async () => {
    const port = await freePort()
    server = await startServer(t, {
      port,
      config: {
        ...CHEAP,
        server: { address: `tcp://127.0.0.1:${port}/`, timeouts: { read: '1s' } },
      },
      users: await usersYaml({ john: {} }),
    })
  })

  /** Sends bytes over a connection of its own. @returns all that came until it was closed */
  const send = (bytes: string): Promise<string> =>
    new Promise((resolve) => {
      let said = ''
      const socket = connect(server.port, '127.0.0.1', () => socket.write(bytes))
      socket.on('data', (chunk) => {
        said += chunk.toString('latin1')
      })
      socket.on('error', () => {})
      socket.on('close', () => resolve(said))
    })
  const get = (path: string, ...more: readonly string[]): string =>
    `${[`GET ${path} HTTP/1.1`, HOST, ...more].join('\r\n')}\r\n\r\n`
  const countOf = (said: string): number => said.split('HTTP/1.1 ').length - 1

  test('answers in order what was sent ahead, whatever was asked for', async () => {
    const asked = Array.from({ length: 49 }, (_, i) => PATHS[i % PATHS.length] ?? '/')
    const said = await send(asked.map((path) => get(path)).join('') + get('/', 'Connection: close'))
    assert.equal(countOf(said), 50)
    const alone = new Map<string, string>()
    for (const path of PATHS) {
      const answer = await send(get(path, 'Connection: close'))
      alone.set(path, answer.slice(0, 12))
    }
    const statuses = said
      .split(/(?=HTTP\/1\.1 )/)
      .slice(0, 49)
      .map((one) => one.slice(0, 12))
    assert.deepEqual(
      statuses,
      asked.map((path) => alone.get(path)),
    )
  })

  for (const path of PATHS) {
    // A hundred such connections kept the health check waiting for eleven seconds.
    test(`is cut when too much is sent ahead, and costs little: ${path}`, async () => {
      const one = get(path)
      const many = one.repeat(Math.floor(60_000 / one.length))
      const costOf = async (work: () => Promise<unknown>): Promise<number> => {
        const from = cpuOf(server.pid)
        await work()
        return cpuOf(server.pid) - from
      }
      const usual = await costOf(async () => {
        for (let i = 0; i < 100; i++) await server.request(path)
      })
      let answers = 0
      const cost = await costOf(async () => {
        answers = countOf(await send(many))
      })
      assert.ok(answers < 100, `${answers} answers`)
      assert.ok(cost < usual, `${cost} ms, and ${usual} ms for a hundred one by one`)
      assert.equal((await server.request('/api/health')).status, 200)
    })
  }

  const REFUSED: Readonly<Record<string, readonly [status: number, bytes: string]>> = {
    'no Host': [400, 'GET / HTTP/1.1\r\n\r\n'],
    'no request': [400, 'hello\r\n\r\n'],
    'a bad header': [400, `GET / HTTP/1.1\r\n${HOST}\r\nA b: c\r\n\r\n`],
    'two lengths': [
      400,
      `POST / HTTP/1.1\r\n${HOST}\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx`,
    ],
    'HTTP/2 in clear': [400, 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    'no end of the head': [408, `GET / HTTP/1.1\r\n${HOST}\r\n`],
    'no end of the body': [
      408,
      `POST /api/logout HTTP/1.1\r\n${HOST}\r\nContent-Length: 9\r\n\r\nx`,
    ],
    'long extensions of chunks': [
      413,
      `POST /api/logout HTTP/1.1\r\n${HOST}\r\nTransfer-Encoding: chunked\r\n\r\n1;${'x'.repeat(20_000)}\r\n`,
    ],
    'a body that is too large': [
      413,
      `POST /api/logout HTTP/1.1\r\n${HOST}\r\nContent-Length: 999999\r\nConnection: close\r\n\r\n`,
    ],
    'an expectation': [417, get('/', 'Expect: the-moon')],
    'a long header': [431, get('/', `A: ${'x'.repeat(80_000)}`)],
    'too many headers': [431, get('/', ...Array.from({ length: 600 }, (_, i) => `a${i}: `))],
    'a path that cannot be decoded': [400, get('/%zz', 'Connection: close')],
    'a method that is none': [400, `NONSENSE / HTTP/1.1\r\n${HOST}\r\n\r\n`],
  }
  const ALWAYS = [
    'X-Content-Type-Options: nosniff',
    'Referrer-Policy: strict-origin-when-cross-origin',
    'X-Frame-Options: DENY',
    'X-DNS-Prefetch-Control: off',
    'Permissions-Policy: accelerometer=()',
    'Cache-Control: no-store',
  ].map((line) => line.toLowerCase())

  for (const [what, [status, bytes]] of Object.entries(REFUSED)) {
    test(`refuses ${what} with every header that all answers have (requirement 20)`, async () => {
      const said = await send(bytes)
      assert.equal(said.slice(0, 12), `HTTP/1.1 ${status}`, said.slice(0, 200))
      const head = said.slice(0, said.indexOf('\r\n\r\n')).toLowerCase()
      for (const line of ALWAYS) assert.ok(head.includes(`\r\n${line}`), `${line}\n${head}`)
    })
  }

  test('has its answers before the refusal of what is no request', async () => {
    const said = await send(`${get('/api/health')}${get('/api/state')}nonsense\r\n\r\n`)
    const statuses = [...said.matchAll(/HTTP\/1\.1 (\d+)/g)].map(([, status]) => status)
    assert.deepEqual(statuses, ['200', '200', '400'])
  })
})
