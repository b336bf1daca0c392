import assert from 'node:assert/strict'
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, suite, type TestContext, test } from 'node:test'
import { suiteCleanup } from '../support/cleanup.ts'
import { freePort } from '../support/nginx.ts'
import { configFor, type RunningServer, run, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'
import { verdict } from '../support/verdict.ts'

suite('what is no request', () => {
  const t = suiteCleanup()
  let server: RunningServer

  before(async () => {
    const port = await freePort()
    server = await startServer(t, {
      port,
      users: await usersYaml({ john: {} }),
      config: {
        ...CHEAP,
        server: { address: `tcp://127.0.0.1:${port}/`, timeouts: { read: '500ms' } },
      },
    })
  })

  /** Sends this on a connection that it never closes by itself; what came back until the server did, ten seconds at most. */
  const send = (text: string): Promise<string> =>
    new Promise((resolve, reject) => {
      const socket = connect({ host: '127.0.0.1', port: server.port, allowHalfOpen: true })
      const late = setTimeout(() => socket.destroy(new Error('it was kept waiting')), 10_000)
      let answer = ''
      socket.on('data', (chunk) => {
        answer += chunk
      })
      socket.on('end', () => {
        resolve(answer)
        socket.destroy()
      })
      socket.on('close', () => clearTimeout(late))
      socket.on('error', reject)
      socket.write(text)
    })
  const refusedWith = (answer: string, status: string): void => {
    const [head = '', body] = answer.split('\r\n\r\n')
    assert.ok(head.startsWith(`HTTP/1.1 ${status}\r\n`), head)
    // A browser may be made to send any of these (requirement 20).
    for (const header of [
      'X-Content-Type-Options: nosniff',
      'X-Frame-Options: DENY',
      'Referrer-Policy: strict-origin-when-cross-origin',
      "Content-Security-Policy: default-src 'none'",
      'Cache-Control: no-store',
      'Connection: close',
    ])
      assert.ok(head.includes(`\r\n${header}`), `${header} is missing: ${head}`)
    assert.equal(body, status)
  }
  const stillWorks = async (): Promise<void> => {
    assert.equal((await verdict(server.port, undefined, { app: 'public' })).status, 200)
    assert.equal((await verdict(server.port, undefined)).status, 401)
  }

  test('garbage is 400, with the headers that every answer carries', async () => {
    for (const garbage of [
      'garbage\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n',
      'GET /verify HTTP/1.1\r\nHost: a\r\nX-Original-URL : http://public.vestibule.localhost/\r\n\r\n',
      'POST /verify HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      'GET /verify HTTP/1.1\r\nHost: a\r\nX-A: \x00\r\n\r\n',
    ])
      refusedWith(await send(garbage), '400 Bad Request')
    await stillWorks()
  })
  test('a request whose headers or body take too long, or that never begins, is 408', async () => {
    const answers = await Promise.all(
      [
        'GET / HTTP/1.1\r\nHost: a\r\nX-Slow',
        'POST /api/firstfactor HTTP/1.1\r\nHost: auth.vestibule.localhost\r\nContent-Length: 50\r\n\r\n{"user',
        '',
      ].map(send),
    )
    for (const answer of answers) refusedWith(answer, '408 Request Timeout')
    await stillWorks()
  })
  test('a flood of headers is 431, in one header and in many', async () => {
    for (const flood of [`X-A: ${'a'.repeat(70_000)}\r\n`, 'X-A: a\r\n'.repeat(20_000)]) {
      const answer = await send(`GET /verify HTTP/1.1\r\nHost: a\r\n${flood}\r\n`)
      refusedWith(answer, '431 Request Header Fields Too Large')
    }
    await stillWorks()
  })
  test('an expectation that nobody can meet is 417, with the headers that every answer carries', async () => {
    const answer = await send(
      'GET /api/health HTTP/1.1\r\nHost: auth.vestibule.localhost\r\nExpect: the-unexpected\r\n\r\n',
    )
    assert.match(answer, /^HTTP\/1\.1 417 /)
    assert.match(answer, /\r\nX-Frame-Options: DENY\r\n/)
    await stillWorks()
  })
  test('who was refused and does not go is shown out', async () => {
    const closed = await new Promise<string>((resolve) => {
      const socket = connect({ host: '127.0.0.1', port: server.port, allowHalfOpen: true })
      socket.write('garbage\r\n\r\n')
      // Keeps sending: once the server has let go of the connection, the system says so.
      const timer = setInterval(() => socket.write('more'), 50)
      const late = setTimeout(() => socket.destroy(new Error('it may stay')), 10_000)
      socket.resume().on('error', (error: NodeJS.ErrnoException) => {
        clearInterval(timer)
        clearTimeout(late)
        resolve(error.code ?? error.message)
      })
    })
    assert.match(closed, /ECONNRESET|EPIPE/)
  })
  test('five hundred connections that come and go, in every state, leave it as it was', async () => {
    const states = [
      '',
      'GET / HT',
      'GET /verify HTTP/1.1\r\nHost: a\r\n',
      'garbage\r\n\r\n',
      'POST /api/firstfactor HTTP/1.1\r\nHost: auth.vestibule.localhost\r\nContent-Length: 9\r\n\r\n{',
    ]
    let count = 0
    const come = async (state: string): Promise<void> => {
      const socket = await new Promise<Socket>((resolve, reject) => {
        const made = connect(server.port, '127.0.0.1', () => resolve(made))
        made.on('error', reject)
      })
      socket.removeAllListeners('error').on('error', () => {})
      socket.write(state)
      if (++count % 2 === 0) socket.resetAndDestroy()
      else socket.destroy()
    }
    for (let round = 0; round < 10; round++)
      await Promise.all(Array.from({ length: 50 }, (_, i) => come(states[i % 5] ?? '')))
    await stillWorks()
    assert.doesNotMatch(server.output(), /level=error/)
  })
})

test('who asks and takes none of the answers is let go (server.timeouts.write)', async (t) => {
  const port = await freePort()
  const server = await startServer(t, {
    port,
    config: {
      ...CHEAP,
      // Long enough that it is not for the request which is stuck half-way.
      server: { address: `tcp://127.0.0.1:${port}/`, timeouts: { read: '1m', write: '1s' } },
    },
  })
  const socket = connect(port, '127.0.0.1').pause()
  const gone = new Promise<void>((resolve) => {
    socket.on('error', () => {}).once('close', () => resolve())
  })
  const asked = 'GET /api/health HTTP/1.1\r\nHost: auth.vestibule.localhost\r\n\r\n'.repeat(500)
  // Nothing is read: the system's buffers fill, then ours.
  const timer = setInterval(() => socket.write(asked), 5)
  const late = setTimeout(() => socket.destroy(new Error('it may stay')), 20_000)
  await gone
  clearInterval(timer)
  clearTimeout(late)
  assert.notEqual(socket.errored?.message, 'it may stay')
  assert.equal((await server.request('/api/health')).status, 200)
})

suite('a unix socket', () => {
  const folderOf = (t: TestContext): string => {
    const folder = mkdtempSync(join(tmpdir(), 'vestibule-unix-'))
    t.after(() => rmSync(folder, { recursive: true, force: true }))
    return folder
  }
  const ask = (
    socketPath: string,
    path: string,
    headers: http.OutgoingHttpHeaders,
  ): Promise<number> =>
    new Promise((resolve, reject) => {
      http
        .get({ socketPath, path, headers: { Host: 'vestibule', ...headers }, agent: false })
        .on('response', (answer) => resolve(answer.resume().statusCode ?? 0))
        .on('error', reject)
    })
  /** Starts a server in a folder of its own that listens on this socket, and waits for what it comes to. */
  const serve = async (t: TestContext, socket: string, query = '') => {
    const folder = folderOf(t)
    const config = configFor(0, folder, {
      ...CHEAP,
      server: { address: `unix://${socket}${query}` },
      access_control: {
        rules: [
          { domain: 'public.vestibule.localhost', policy: 'bypass' },
          { domain: 'lan.vestibule.localhost', policy: 'bypass', networks: '192.0.2.0/24' },
        ],
      },
      // Nobody by address: what comes through the socket is trusted all the same.
      trusted_proxies: [],
    })
    writeFileSync(join(folder, 'config.yml'), JSON.stringify(config))
    const start = async () => {
      const server = run(['serve'], { folder })
      t.after(() => server.stop())
      await Promise.race([server.until(/listening on/), server.ended])
      return server
    }
    return { folder, start, server: await start() }
  }

  test('it serves, with the mode that was asked for, and whoever may open it is trusted (requirement 6)', async (t) => {
    const socket = join(folderOf(t), 'v.sock')
    const { folder, server } = await serve(t, socket, '?umask=0007')
    assert.match(server.output(), new RegExp(`listening on unix:${socket}"`))
    assert.equal(statSync(socket).mode & 0o777, 0o770)
    const url = (app: string) => ({ 'X-Original-URL': `https://${app}.vestibule.localhost/` })
    const get = { 'X-Original-Method': 'GET' }
    assert.equal(await ask(socket, '/verify', { ...url('public'), ...get }), 200)
    for (const [client, status] of [
      ['192.0.2.7', 200],
      ['198.51.100.7', 403],
    ] as const)
      assert.equal(
        await ask(socket, '/verify', { ...url('lan'), ...get, 'X-Forwarded-For': client }),
        status,
        client,
      )
    const check = run(['healthcheck'], { folder })
    assert.equal(await check.ended, 0)

    // It is gone with the server.
    await server.stop()
    await assert.rejects(ask(socket, '/api/health', {}), { code: 'ENOENT' })
  })
  test('one that a killed server left behind is replaced, and without a umask it is for owner and group', async (t) => {
    const socket = join(folderOf(t), 'v.sock')
    const { server, start } = await serve(t, socket)
    assert.equal(statSync(socket).mode & 0o777, 0o660)
    server.signal('SIGKILL')
    await server.ended
    await assert.rejects(ask(socket, '/api/health', {}), { code: 'ECONNREFUSED' })
    await start()
    assert.equal(await ask(socket, '/api/health', {}), 200)
  })
  test('one that another server answers on, or a file in its place, is left alone', async (t) => {
    const socket = join(folderOf(t), 'v.sock')
    const { server } = await serve(t, socket)
    const second = await serve(t, socket)
    assert.equal(await second.server.ended, 1)
    assert.match(second.server.output(), /^vestibule: cannot listen on .*v\.sock: something else/m)
    assert.equal(await ask(socket, '/api/health', {}), 200)
    await server.stop()

    const file = join(folderOf(t), 'v.sock')
    writeFileSync(file, 'precious')
    const third = await serve(t, file)
    assert.equal(await third.server.ended, 1)
    assert.match(third.server.output(), /a file is in the way/)
    assert.equal(readFileSync(file, 'utf8'), 'precious')
  })
})

test('a configuration or a users file that everybody may change is named at start', async (t) => {
  const server = await startServer(t, { config: CHEAP, users: await usersYaml({ john: {} }) })
  assert.doesNotMatch(server.output(), /may change/)
  await server.stop()
  for (const file of [server.configFile, server.usersFile]) chmodSync(file, 0o666)
  const again = run(['serve', '--config', server.configFile], server)
  await again.until(/listening on/)
  await again.stop()
  for (const file of ['config.yml', 'users.yml'])
    assert.match(
      again.output(),
      new RegExp(`every user of this machine may (read and )?change \\S*/${file}.*: chmod o-r?w`),
    )
})
