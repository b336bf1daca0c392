import assert from 'node:assert/strict'
import http from 'node:http'
import { before, suite, test } from 'node:test'
import { suiteCleanup } from '../support/cleanup.ts'
import { type DemoApp, startDemoApp } from '../support/demo-app.ts'
import { freePort, noNginx, startNginx } from '../support/nginx.ts'
import { type Answer, type RunningServer, request, signIn, startServer } from '../support/server.ts'
import { snippet } from '../support/snippet.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

const HTML = 'text/html,application/xhtml+xml,*/*;q=0.8'
const IDENTITY = ['Remote-User', 'Remote-Groups', 'Remote-Name', 'Remote-Email']

suite('nginx with the snippet of deploy/nginx', { skip: noNginx }, () => {
  let app: DemoApp
  let server: RunningServer
  let port: number
  let cookie: string

  const t = suiteCleanup()

  before(async () => {
    app = await startDemoApp(t)
    server = await startServer(t, {
      config: CHEAP,
      users: await usersYaml({
        john: { groups: ['admins', 'dev'], email: 'john@example.com', displayname: 'Jöhn Døe' },
        bob: {},
      }),
    })
    port = await freePort()
    await startNginx(t, snippet({ vestibule: server.port, listen: port, app: app.port }), port)
    cookie = await signIn(server.port, 'john')
  })

  const ask = (
    path: string,
    options: {
      host?: string
      method?: string
      headers?: Record<string, string>
      body?: string
    } = {},
  ): Promise<Answer> =>
    request(port, path, {
      method: options.method ?? 'GET',
      headers: { Host: `${options.host ?? 'app'}.vestibule.localhost:${port}`, ...options.headers },
      ...(options.body !== undefined && { body: options.body }),
    })

  test('a browser without session is sent to the portal, with where it wanted to go', async () => {
    const answer = await ask('/a/b%20c?d=e&f=g%26h', { headers: { Accept: HTML } })
    assert.equal(answer.status, 302)
    const location = new URL(answer.headers.location ?? '')
    assert.equal(location.origin, `http://auth.vestibule.localhost:${server.port}`)
    assert.equal(
      location.searchParams.get('rd'),
      `http://app.vestibule.localhost:${port}/a/b%20c?d=e&f=g%26h`,
    )
    assert.equal(location.searchParams.get('rm'), 'GET')
  })
  test('a browser that posts without session is sent with 303', async () => {
    const answer = await ask('/form', { method: 'POST', headers: { Accept: HTML }, body: 'a=b' })
    assert.equal(answer.status, 303)
    assert.equal(new URL(answer.headers.location ?? '').searchParams.get('rm'), 'POST')
  })
  test('a script without session gets 401, where to sign in, and no HTML (measure 28)', async () => {
    for (const headers of [
      { Accept: 'application/json' },
      { Accept: '*/*', 'Sec-Fetch-Mode': 'cors' },
      { Accept: HTML, 'X-Requested-With': 'XMLHttpRequest' },
    ]) {
      const answer = await ask('/api', { headers })
      assert.equal(answer.status, 401)
      assert.match(answer.headers.location ?? '', /^http:\/\/auth\.vestibule\.localhost/)
      assert.match(answer.headers['content-type'] ?? '', /^application\/json/)
      assert.equal(JSON.parse(answer.body).login_url, answer.headers.location)
    }
  })

  test('the app sees exactly one of each identity header, and not the session cookie', async () => {
    const answer = await ask('/', { headers: { Cookie: `theme=dark; ${cookie}; lang=en` } })
    assert.equal(answer.status, 200)
    assert.deepEqual(app.folded('Remote-User'), ['john'])
    assert.deepEqual(app.folded('Remote-Groups'), ['admins,dev'])
    assert.deepEqual(app.folded('Remote-Email'), ['john@example.com'])
    assert.deepEqual(
      app.folded('Remote-Name').map((name) => Buffer.from(name, 'latin1').toString()),
      ['Jöhn Døe'],
    )
    assert.deepEqual(app.folded('Cookie'), ['theme=dark; lang=en'])
  })
  test('a second session cookie is a trick: then the app sees no cookie at all', async () => {
    const second = `${cookie.slice(0, -1)}${cookie.endsWith('A') ? 'B' : 'A'}`
    await ask('/', { headers: { Cookie: `a=1; ${cookie}; ${second}; b=2` } })
    assert.deepEqual(app.folded('Cookie'), [])
    assert.deepEqual(app.folded('Remote-User'), ['john'])
  })
  test('identity headers of a client and their aliases never reach the app (advisories 17, 39, 40)', async () => {
    for (const host of ['app', 'public']) {
      for (const sign of ['-', '_', '.']) {
        const forged = Object.fromEntries(
          IDENTITY.map((name) => [name.replaceAll('-', sign), 'mallory']),
        )
        const headers = host === 'app' ? { ...forged, Cookie: cookie } : forged
        const answer = await ask('/', { host, headers })
        assert.equal(answer.status, 200, `${host} ${sign}`)
        for (const name of IDENTITY)
          assert.ok(!app.folded(name).includes('mallory'), `${host} ${sign} ${name}`)
        assert.deepEqual(app.folded('Remote-User'), host === 'app' ? ['john'] : [])
      }
    }
  })
  test('headers that say what is asked about are not the client’s to send (advisory 8)', async () => {
    const answer = await ask('/', {
      host: 'bank',
      headers: {
        Accept: 'application/json',
        'X-Original-URL': `http://public.vestibule.localhost:${port}/`,
        'X-Original-Method': 'OPTIONS',
        'X-Forwarded-Host': 'public.vestibule.localhost',
        'X-Forwarded-Uri': '/',
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-For': '127.0.0.1',
      },
    })
    assert.equal(answer.status, 401)
  })

  test('a POST arrives whole', async () => {
    const body = 'x'.repeat(100_000)
    const answer = await ask('/upload', { method: 'POST', headers: { Cookie: cookie }, body })
    assert.equal(answer.status, 200)
    assert.equal(app.seen.at(-1)?.body.length, body.length)
    assert.equal(app.seen.at(-1)?.method, 'POST')
  })
  test('encoded paths reach the app as they were sent', async () => {
    for (const path of ['/a%2Fb', '/%C3%BCber', '/a//b', '/a/./b?x=%26&y', '/a;b=c']) {
      const answer = await ask(path, { headers: { Cookie: cookie } })
      assert.equal(answer.status, 200, path)
      assert.equal(app.seen.at(-1)?.url, path)
    }
  })
  test('an address of 8 KiB passes with a session, and comes back from the portal without one', async () => {
    const path = `/${'a'.repeat(4000)}?${'%C3%BC'.repeat(690)}`
    assert.ok(path.length > 8 * 1000)
    assert.equal((await ask(path, { headers: { Cookie: cookie } })).status, 200)
    const answer = await ask(path, { headers: { Accept: HTML } })
    assert.equal(answer.status, 302)
    assert.equal(
      new URL(answer.headers.location ?? '').searchParams.get('rd'),
      `http://app.vestibule.localhost:${port}${path}`,
    )
  })
  test('a websocket opens with a session and not without', async () => {
    const open = (headers: Record<string, string>) =>
      new Promise<{ status: number; said: string }>((resolve, reject) => {
        const sent = http.request({
          host: '127.0.0.1',
          port,
          path: '/socket',
          headers: {
            Host: `app.vestibule.localhost:${port}`,
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
    assert.deepEqual(await open({ Cookie: cookie }), { status: 101, said: 'hello' })
    assert.deepEqual(await open({}), { status: 401, said: '' })
  })

  test('who may not enter is told so: a browser by the portal’s page, a script by 403', async () => {
    const bob = await signIn(server.port, 'bob')
    const page = await ask('/secret', { host: 'admin', headers: { Cookie: bob, Accept: HTML } })
    assert.equal(page.status, 303)
    assert.match(
      page.headers.location ?? '',
      /^http:\/\/auth\.vestibule\.localhost:\d+\/forbidden\?rd=/,
    )
    const data = await ask('/secret', { host: 'admin', headers: { Cookie: bob } })
    assert.equal(data.status, 403)
    assert.ok(!data.body.includes('<'), data.body)
    assert.equal((await ask('/secret', { host: 'admin', headers: { Cookie: cookie } })).status, 200)
  })
  test('an app’s own 401 and 403 are its own', async () => {
    for (const status of [401, 403]) {
      const answer = await ask(`/own-${status}`, { headers: { Cookie: cookie, Accept: HTML } })
      assert.equal(answer.status, status)
      assert.equal(answer.body, `the app says ${status}`)
    }
  })
  test('nobody gets through a rule that asks for two factors', async () => {
    const answer = await ask('/', { host: 'bank', headers: { Cookie: cookie } })
    assert.equal(answer.status, 401)
  })
  test('a signed-out session opens nothing', async () => {
    const mine = await signIn(server.port, 'john')
    assert.equal((await ask('/', { headers: { Cookie: mine } })).status, 200)
    await server.request('/api/logout', {
      method: 'POST',
      headers: {
        Host: 'auth.vestibule.localhost',
        Cookie: mine,
        'Content-Type': 'application/json',
      },
      body: '{}',
    })
    assert.equal((await ask('/', { headers: { Cookie: mine } })).status, 401)
  })
  test('what nginx cannot ask about is closed: no Host, and a server that is gone (advisory 47)', async () => {
    const answer = await request(port, 'http://app.vestibule.localhost/%zz', {
      headers: { Host: '' },
    })
    assert.ok(answer.status >= 400, String(answer.status))
    await server.stop()
    for (const host of ['app', 'public', 'bank']) {
      const before = app.seen.length
      const closed = await ask('/', { host, headers: { Cookie: cookie } })
      assert.equal(closed.status, 500)
      assert.equal(app.seen.length, before)
    }
  })
})
