import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import { suiteCleanup } from '../support/cleanup.ts'
import { type DemoApp, startDemoApp } from '../support/demo-app.ts'
import { freePort, noNginx, startNginx } from '../support/nginx.ts'
import { type Answer, type RunningServer, request, signIn, startServer } from '../support/server.ts'
import { nginxSnippet, setupWith } from '../support/snippet.ts'
import { CHEAP, usersYaml } from '../support/users.ts'
import { raw } from '../support/wire.ts'

/** The snippet in front of one app, `app`; `public` is open to everybody, by a rule and elsewhere. */
suite('nginx with the snippet, and somebody who knows nginx', { skip: noNginx }, () => {
  let app: DemoApp
  let server: RunningServer
  let port: number
  let cookie: string

  const t = suiteCleanup()

  before(async () => {
    app = await startDemoApp(t)
    server = await startServer(t, { config: CHEAP, users: await usersYaml({ john: {} }) })
    port = await freePort()
    const conf = nginxSnippet(
      setupWith({
        verifyUpstream: `127.0.0.1:${server.port}`,
        listen: `127.0.0.1:${port}`,
        appUpstream: `127.0.0.1:${app.port}`,
        portalHost: 'auth.vestibule.localhost',
      }),
    )
    await startNginx(t, conf, port)
    cookie = await signIn(server.port, 'john')
  })

  const ask = (path: string, headers: Record<string, string>): Promise<Answer> =>
    request(port, path, { headers: { Host: 'app.vestibule.localhost', ...headers } })

  // nginx chooses the server block by the host in the request line; the question was about the one in the header.
  test('a request line that names a host is refused, whatever the Host header says', async () => {
    const before = app.seen.length
    for (const host of ['public.vestibule.localhost', `app.vestibule.localhost:${port}`]) {
      const headers = { Host: host, Cookie: cookie }
      assert.equal((await ask('http://app.vestibule.localhost/secret', headers)).status, 400, host)
    }
    assert.equal(app.seen.length, before)
  })
  // The first server block answered for every host that none names, and was asked about as that host.
  test('a host that no server block names reaches no app, whatever the rules say about it', async () => {
    const before = app.seen.length
    for (const host of ['public.vestibule.localhost', 'nobody.test', '127.0.0.1']) {
      const answer = await ask('/secret', { Host: host, Cookie: cookie })
      assert.equal(answer.status, 421, host)
    }
    assert.equal(app.seen.length, before)
  })
  // h2c: what the client sends through the upgraded connection is a conversation with the app that nobody is asked about.
  test('an upgrade to anything but a websocket is not passed on', { timeout: 5000 }, async () => {
    for (const protocol of ['h2c', 'TLS/1.0', 'websocket, h2c']) {
      const answer = await ask('/', {
        Cookie: cookie,
        Connection: 'Upgrade, HTTP2-Settings',
        Upgrade: protocol,
        'HTTP2-Settings': 'AAMAAABkAARAAAAAAAIAAAAA',
      })
      assert.equal(answer.status, 200, protocol)
      assert.deepEqual(app.folded('Upgrade'), [], protocol)
    }
  })
  // Blanks around a cookie's name don't count for us, so they must not for nginx, or the app sees a live session.
  test('the session cookie is kept from the app however it is spelled', async () => {
    const [name, value] = cookie.split('=')
    for (const spelled of [
      `${name} =${value}`,
      `${name}\t= ${value}`,
      `a=b;\t${name}=${value}`,
      `a=b ;${name}="${value}"; c=d`,
      `;;; ;${cookie};;`,
    ]) {
      const answer = await ask('/', { Cookie: spelled })
      assert.equal(answer.status, 200, spelled)
      assert.ok(
        !app
          .folded('Cookie')
          .join()
          .includes(value ?? ''),
        spelled,
      )
    }
  })
  // The old endpoint came after the snippet, and with it a place to try passwords at.
  test('nobody asks for verdicts through the portal', async () => {
    for (const path of [
      '/verify',
      '/%76erify',
      '//verify',
      '/x/../verify',
      '/api/verify',
      '/api/verify/x',
      '/api//verify',
      '/api/authz/auth-request',
      '/api/authz/ext-authz/x',
    ]) {
      const answer = await ask(path, {
        Host: 'auth.vestibule.localhost',
        'X-Original-URL': 'http://public.vestibule.localhost/',
        'X-Original-Method': 'GET',
      })
      assert.equal(answer.status, 404, path)
    }
  })
})

// nginx reads what comes in front of Host by the rules of its default server, which here is not ours.
test('an nginx that lets underscores through tells the app nothing untrue either', {
  skip: noNginx,
}, async (t) => {
  const app = await startDemoApp(t)
  const server = await startServer(t)
  const port = await freePort()
  const setup = setupWith({
    verifyUpstream: `127.0.0.1:${server.port}`,
    listen: `127.0.0.1:${port}`,
    appUpstream: `127.0.0.1:${app.port}`,
    hosts: ['public.vestibule.localhost'],
  })
  const theirs = `underscores_in_headers on;\nserver { listen ${setup.listen} default_server; return 421; }\n`
  const ours = nginxSnippet(setup).replace(/^server \{\n.*default_server;\n[\s\S]*?^\}\n/m, '')
  assert.doesNotMatch(ours, /default_server;/)
  await startNginx(t, theirs + ours, port)
  const host = 'Host: public.vestibule.localhost'
  const answer = await raw(port, 'GET / HTTP/1.1', [
    'X_Let_Through: yes',
    'Remote_User: mallory',
    'X_Real-IP: mallory',
    'X_HTTP_Method: mallory',
    'X-HTTP_Method-Override: mallory',
    host,
  ])
  assert.match(answer, /^HTTP\/1\.1 200 /)
  assert.deepEqual(app.folded('X_Let_Through'), ['yes'])
  assert.doesNotMatch(JSON.stringify(app.seen), /mallory/)
  // Of these Vestibule itself will not have two spellings: closed.
  for (const name of ['X_Forwarded_Uri', 'X-Forwarded_Host'])
    assert.match(await raw(port, 'GET / HTTP/1.1', [`${name}: mallory`, host]), /^HTTP\/1\.1 500 /)
  assert.equal(app.seen.length, 1)
})

suite('nginx with the snippet for other names', { skip: noNginx }, () => {
  let app: DemoApp
  let port: number
  let cookie: string

  const t = suiteCleanup()
  const cookieName = 'my.session+$1'
  const identityHeaders = {
    user: 'X-Auth-User',
    groups: 'X_Auth_Groups',
    name: 'X-Auth-Full-Name',
    email: 'X-Mail',
  }

  before(async () => {
    app = await startDemoApp(t)
    const vestibule = await freePort()
    const server = await startServer(t, {
      port: vestibule,
      config: {
        ...CHEAP,
        identity_headers: identityHeaders,
        session: {
          cookies: [
            {
              domain: 'vestibule.localhost',
              portal_url: `http://auth.vestibule.localhost:${vestibule}`,
              name: cookieName,
            },
          ],
        },
      },
      users: await usersYaml({ john: { groups: ['dev'] } }),
    })
    port = await freePort()
    const conf = nginxSnippet(
      setupWith({
        verifyUpstream: `127.0.0.1:${server.port}`,
        listen: `127.0.0.1:${port}`,
        appUpstream: `127.0.0.1:${app.port}`,
        cookieNames: ['another_session', cookieName],
        identityHeaders,
      }),
    )
    // As somebody's nginx.conf may have it, for the sake of another app.
    await startNginx(t, `underscores_in_headers on;\nignore_invalid_headers off;\n${conf}`, port)
    cookie = await signIn(server.port, 'john')
  })

  test('a cookie name with signs that patterns know is kept from the app too', async () => {
    const answer = await request(port, '/', {
      headers: { Host: 'app.vestibule.localhost', Cookie: `a=b; ${cookie}; c=d` },
    })
    assert.equal(answer.status, 200)
    assert.deepEqual(app.folded('Cookie'), ['a=b; c=d'])
  })
  // Only names with all signs alike were taken away: X_Auth-User went through, X-Auth-Groups, and whatever has a dot.
  test('no spelling of an identity header reaches the app from a client (advisories 7, 17, 40)', async () => {
    const names = Object.values(identityHeaders)
    for (const first of ['-', '_', '.'])
      for (const second of ['-', '_', '.']) {
        const forged = names.map((name) => {
          const [head, ...tail] = name.split(/[-_]/)
          return [`${head}${first}${tail.join(second)}`, 'mallory']
        })
        const answer = await request(port, '/', {
          headers: {
            Host: 'app.vestibule.localhost',
            Cookie: cookie,
            ...Object.fromEntries(forged),
          },
        })
        assert.equal(answer.status, 200)
        assert.deepEqual(
          names.map((name) => app.folded(name)),
          [['john'], ['dev'], ['john'], []],
          `${first} ${second}`,
        )
      }
  })
})
