import assert from 'node:assert/strict'
import { connect } from 'node:net'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { before, suite, test } from 'node:test'
import { suiteCleanup } from '../support/cleanup.ts'
import { type Answer, type RunningServer, signIn, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

const HTML = 'text/html,application/xhtml+xml,*/*;q=0.8'
const IDENTITY = ['remote-user', 'remote-groups', 'remote-name', 'remote-email'] as const

/** How each endpoint is asked about a URL. */
const ENDPOINTS = {
  '/verify (nginx way)': { path: '/verify', ask: original },
  '/verify (forward-auth way)': { path: '/verify', ask: forwarded },
  'auth-request': { path: '/api/authz/auth-request', ask: original },
  'forward-auth': { path: '/api/authz/forward-auth', ask: forwarded },
} as const
type Headers = Record<string, string>

function original(url: string, method = 'GET'): Headers {
  return { 'X-Original-URL': url, 'X-Original-Method': method }
}
function forwarded(url: string, method = 'GET'): Headers {
  const [, proto = '', host = '', uri = ''] = /^(\w+):\/\/([^/?]*)(.*)$/.exec(url) ?? []
  return {
    'X-Forwarded-Proto': proto,
    'X-Forwarded-Host': host,
    'X-Forwarded-Uri': uri,
    'X-Forwarded-Method': method,
  }
}

suite('verify', () => {
  const t = suiteCleanup()
  let server: RunningServer
  let cookie: string
  let bob: string

  before(async () => {
    server = await startServer(t, {
      config: {
        ...CHEAP,
        session: {
          cookies: [
            { domain: 'example.com', portal_url: 'https://auth.example.com' },
            { domain: 'vestibule.localhost', portal_url: 'http://auth.vestibule.localhost:9091' },
            { domain: 'bare.test' },
          ],
        },
        access_control: {
          default_policy: 'deny',
          rules: [
            { domain: 'public.example.com', policy: 'bypass' },
            { domain: 'app.example.com', resources: ['^/public/', '^/api/'], policy: 'bypass' },
            {
              domain: ['app.example.com', 'app.vestibule.localhost', 'app.bare.test'],
              policy: 'one_factor',
            },
            { domain: 'admin.example.com', policy: 'one_factor', subject: 'group:admins' },
            { domain: 'bank.example.com', policy: 'two_factor' },
            { domain: 'lan.example.com', policy: 'bypass', networks: '10.0.0.0/8' },
          ],
        },
      },
      users: await usersYaml({
        john: { groups: ['admins', 'dev'], email: 'john@example.com', displayname: 'John Doe' },
        bob: {},
      }),
    })
    cookie = await signInAt('auth.example.com', 'john')
    bob = await signInAt('auth.example.com', 'bob')
  })

  const signInAt = async (host: string, user: string): Promise<string> => {
    const answer = await server.request('/api/firstfactor', {
      method: 'POST',
      headers: { Host: host, 'Content-Type': 'application/json' },
      body: JSON.stringify({ username: user, password: 'correct horse' }),
    })
    assert.equal(answer.status, 200, answer.body)
    return answer.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''
  }
  const get = (path: string, headers: Headers | string[], method = 'GET'): Promise<Answer> =>
    server.request(path, {
      method,
      headers: Array.isArray(headers) ? headers : { Host: 'vestibule', ...headers },
    })

  for (const [name, { path, ask }] of Object.entries(ENDPOINTS)) {
    const nginx = ask === original

    test(`${name}: a live session that the rules accept passes, and says who it is`, async () => {
      const answer = await get(path, { ...ask('https://app.example.com/x?y=1'), Cookie: cookie })
      assert.equal(answer.status, 200)
      assert.deepEqual(
        IDENTITY.map((header) => answer.headers[header]),
        ['john', 'admins,dev', 'John Doe', 'john@example.com'],
      )
      assert.equal(answer.body, '')
      // A 200 ends at the proxy: the identity, no-store, and what HTTP itself needs (requirement 20).
      assert.deepEqual(
        Object.keys(answer.headers).sort(),
        ['cache-control', 'connection', 'content-length', 'date', ...IDENTITY].sort(),
      )
      assert.equal(answer.headers['cache-control'], 'no-store')
    })
    test(`${name}: bypass passes everybody, with all four headers empty (advisory 39)`, async () => {
      for (const url of ['https://public.example.com/', 'https://app.example.com/public/x']) {
        const answer = await get(path, ask(url))
        assert.equal(answer.status, 200, url)
        assert.deepEqual(
          IDENTITY.map((header) => answer.headers[header]),
          ['', '', '', ''],
        )
        const known = await get(path, { ...ask(url), Cookie: cookie })
        assert.equal(known.headers['remote-user'], 'john')
      }
    })
    test(`${name}: without session a browser goes to the portal, anybody else is told where it is`, async () => {
      const url = 'https://app.example.com/a?b=c&d=%26'
      const location = `https://auth.example.com/?rd=${encodeURIComponent(url)}&rm=`
      for (const [method, status] of [
        ['GET', 302],
        ['HEAD', 302],
        ['OPTIONS', 302],
        ['POST', 303],
        ['DELETE', 303],
      ] as const) {
        const page = await get(path, { ...ask(url, method), Accept: HTML })
        assert.equal(page.status, nginx ? 401 : status, method)
        assert.equal(page.headers.location, location + method)
        assert.equal(page.headers['x-vestibule-sign-in'], location + method)
        const data = await get(path, { ...ask(url, method), Accept: 'application/json' })
        assert.equal(data.status, 401)
        assert.equal(data.headers.location, location + method)
        assert.equal(data.headers['x-vestibule-sign-in'], undefined)
        assert.deepEqual(JSON.parse(data.body), {
          status: 'KO',
          message: 'Sign in first.',
          login_url: location + method,
        })
        const other = await get(path, { ...ask(url, method), Accept: 'image/png' })
        assert.equal(other.body, '401 Unauthorized'.slice(4))
      }
    })
    test(`${name}: who may not pass is forbidden, never redirected`, async () => {
      const url = 'https://admin.example.com/x'
      const page = await get(path, { ...ask(url), Cookie: bob, Accept: HTML })
      assert.equal(page.status, 403)
      assert.equal(page.headers.location, undefined)
      assert.match(page.body, /You are signed in as bob/)
      assert.match(
        String(page.headers['content-security-policy']),
        /default-src 'none'.*style-src 'sha256-/,
      )
      assert.match(
        String(page.headers['x-vestibule-forbidden']),
        /^https:\/\/auth\.example\.com\/forbidden\?rd=/,
      )
      const data = await get(path, { ...ask(url), Cookie: bob })
      assert.equal(data.status, 403)
      assert.equal(data.body, 'Forbidden')
      // Anonymous and a rule with a subject: sign in first. Nobody's rule: forbidden at once.
      assert.equal((await get(path, ask(url))).status, 401)
      assert.equal((await get(path, ask('https://unknown.example.com/'))).status, 403)
    })
    test(`${name}: one factor opens nothing that asks for two (advisory 32)`, async () => {
      const answer = await get(path, { ...ask('https://bank.example.com/'), Cookie: cookie })
      assert.equal(answer.status, 401)
    })
    test(`${name}: every refusal carries the headers that a browser needs, and no-store (requirement 20)`, async () => {
      for (const headers of [
        { ...ask('https://app.example.com/'), Accept: HTML },
        { ...ask('https://unknown.example.com/'), Accept: HTML },
        { ...ask('https://unknown.example.com/') },
        {},
      ]) {
        const answer = await get(path, headers)
        assert.equal(answer.headers['x-content-type-options'], 'nosniff')
        assert.equal(answer.headers['x-frame-options'], 'DENY')
        assert.equal(answer.headers['referrer-policy'], 'strict-origin-when-cross-origin')
        assert.equal(answer.headers['x-dns-prefetch-control'], 'off')
        assert.match(
          String(answer.headers['permissions-policy']),
          /^accelerometer=\(\), .*interest-cohort=\(\)$/,
        )
        assert.equal(answer.headers['cache-control'], 'no-store')
        assert.equal(answer.headers['x-xss-protection'], undefined)
      }
    })
    test(`${name}: every method is routed, and its body neither read nor waited for`, async () => {
      for (const method of [
        'GET',
        'HEAD',
        'POST',
        'PUT',
        'PATCH',
        'DELETE',
        'OPTIONS',
        'TRACE',
        'PROPFIND',
        'MKCOL',
        'LOCK',
        'PURGE',
        'REPORT',
      ]) {
        const answer = await get(
          path,
          { ...ask('https://app.example.com/'), Cookie: cookie },
          method,
        )
        assert.equal(answer.status, 200, method)
      }
      for (const head of [
        'Content-Length: 1000000',
        'Transfer-Encoding: chunked',
        'Content-Length: 5\r\nExpect: 100-continue',
        'Content-Length: 5\r\nContent-Type: ,;garbage',
      ]) {
        const raw = Object.entries({ ...ask('https://app.example.com/'), Cookie: cookie })
          .map(([key, value]) => `${key}: ${value}\r\n`)
          .join('')
        const answer = await send(
          server.port,
          `POST ${path} HTTP/1.1\r\nHost: v\r\n${raw}${head}\r\n\r\n`,
        )
        assert.match(answer, /HTTP\/1\.1 200 OK/, head)
      }
    })
    test(`${name}: malformed is 400, whatever is in the cookie (advisories 4, 16, 21, 42)`, async () => {
      const good = ask('https://app.example.com/')
      const flat = Object.entries({ Host: 'v', ...good, Cookie: cookie }).flat()
      assert.equal((await get(path, flat)).status, 200)
      for (const [key, value] of Object.entries(good)) {
        assert.equal((await get(path, [...flat, key, value])).status, 400, `twice ${key}`)
        const without = Object.entries({ Host: 'v', ...good, Cookie: cookie })
          .filter(([k]) => k !== key)
          .flat()
        assert.equal((await get(path, without)).status, 400, `without ${key}`)
        assert.equal(
          (await get(path, [...flat, key.replaceAll('-', '_'), value])).status,
          400,
          `alias of ${key}`,
        )
        assert.equal(
          (await get(path, [...flat, key.replaceAll('-', '.'), value])).status,
          400,
          `alias of ${key}`,
        )
      }
      for (const url of [
        'http://app.example.com/',
        'https://good@app.example.com/',
        'https://other.test/',
        'https://app.example.com, https://x/',
        'gopher://app.example.com/',
        `https://app.example.com/${'x'.repeat(17_000)}`,
      ])
        assert.equal(
          (await get(path, { ...ask(url), Cookie: cookie })).status,
          400,
          url.slice(0, 50),
        )
      for (const method of ['get', 'G-T', '', 'GET, POST'])
        assert.equal(
          (await get(path, { ...ask('https://app.example.com/', method), Cookie: cookie })).status,
          400,
          method,
        )
      for (const header of ['a', '192.0.2.7, a', '192.0.2.7:80', ',', 'fe80::1%lo'])
        assert.equal(
          (await get(path, { ...good, Cookie: cookie, 'X-Forwarded-For': header })).status,
          400,
          header,
        )
    })
    test(`${name}: a portal can be named in the query by whoever configures the proxy, within the domain`, async () => {
      const headers = { ...ask('https://app.example.com/'), Accept: HTML }
      const named = await get(
        `${path}?authelia_url=${encodeURIComponent('https://login.example.com/in')}`,
        headers,
      )
      assert.match(named.headers.location ?? '', /^https:\/\/login\.example\.com\/in\?rd=/)
      for (const bad of [
        'http://login.example.com',
        'https://evil.test',
        'https://evilexample.com',
        'https://a@login.example.com',
        'login',
        'javascript:x',
        'https://login.example.com\\@evil.test',
      ])
        assert.equal(
          (await get(`${path}?authelia_url=${encodeURIComponent(bad)}`, headers)).status,
          400,
          bad,
        )
      assert.equal(
        (await get(path, { ...ask('https://app.bare.test/'), Accept: HTML })).status,
        400,
      )
      assert.equal(
        (
          await get(
            `${path}?authelia_url=${encodeURIComponent('https://auth.bare.test')}`,
            ask('https://app.bare.test/'),
          )
        ).status,
        401,
      )
    })
  }

  test('a cookie that is broken, foreign, repeated or of another domain is no cookie (advisory 22)', async () => {
    const value = cookie.slice(cookie.indexOf('=') + 1)
    const other = await signInAt('auth.vestibule.localhost', 'john')
    const asked = (header: string, url = 'https://app.example.com/') =>
      get('/verify', { ...original(url), Cookie: header })
    const refused: Record<string, string> = {
      truncated: `vestibule_session=${value.slice(0, -1)}`,
      longer: `vestibule_session=${value}A`,
      garbage: `vestibule_session=${'A'.repeat(43)}`,
      empty: 'vestibule_session=',
      'another case': `Vestibule_Session=${value}`,
      'a longer name': `xvestibule_session=${value}`,
      'another domain’s': other,
      'two live ones': `${cookie}; ${bob}`,
      'five values': `${cookie}; ${'vestibule_session=x; '.repeat(4)}`,
      huge: `vestibule_session=${'A'.repeat(20_000)}`,
    }
    for (const [what, header] of Object.entries(refused))
      assert.equal((await asked(header)).status, 401, what)
    for (const header of [
      `a=b; ${cookie}`,
      `vestibule_session=dead; ${cookie}`,
      `${cookie}; ${cookie}`,
      `vestibule_session=a; vestibule_session=b; vestibule_session=c; ${cookie}`,
    ])
      assert.equal((await asked(header)).status, 200, header.slice(0, 40))
    assert.equal((await asked(other, 'http://app.vestibule.localhost:8080/')).status, 200)
  })

  test('the host is judged in its canonical spelling (advisories 1, 29)', async () => {
    for (const host of ['ADMIN.example.com', 'admin.EXAMPLE.com.', 'admin.example.com:443']) {
      const answer = await get('/verify', { ...original(`https://${host}/`), Cookie: bob })
      assert.equal(answer.status, 403, host)
    }
  })
  test('no reading of a path opens what another closes (advisories 6, 9, 19, 20, 41)', async () => {
    for (const path of [
      '/public/../admin',
      '/public/%2e%2e/admin',
      '/public/..%2fadmin',
      '/public%2f..%2fadmin',
      '/public/..;/admin',
      '/public/\\..\\admin',
      '/public/%252e%252e/admin',
      '/admin#/public/',
      '/admin%23/public/',
      '/admin?x=/public/',
      '//public/../admin',
      '/public/%00',
      '/./public/../x',
    ]) {
      const answer = await get('/verify', original(`https://app.example.com${path}`))
      assert.notEqual(answer.status, 200, path)
    }
  })
  // Each was answered with a page of the portal.
  test('a verify endpoint refuses in plain text, however its path is spelled', async () => {
    for (const [path, status] of [
      ['/verify', 400],
      ['/%76erify', 400],
      ['http://v/verify', 400],
      ['/api/verify/x', 401],
      ['/api/authz/nothing', 404],
    ] as const) {
      const answer = await get(path, { Accept: HTML })
      assert.equal(answer.status, status, path)
      assert.equal(answer.headers['content-type'], 'text/plain; charset=utf-8', path)
    }
  })
  // The path was counted off from the front: of another spelling of the endpoint, a piece of it was judged as the target.
  test('ext-authz judges what stands behind the endpoint, or nothing', async () => {
    const asked = async (path: string) =>
      (await get(path, ['Host', 'app.example.com', 'X-Forwarded-Proto', 'https'])).status
    assert.equal(await asked('/api/authz/ext-authz/secret'), 401)
    assert.equal(await asked('/api/authz/ext-authz/api/x'), 200)
    for (const path of [
      'http://aaaaaaaaaaaaa/api/authz/ext-authz/secret',
      '/api/authz/ext%2Dauthz/secret',
      '/api/authz/%65xt-authz/api/x',
    ])
      assert.equal(await asked(path), 400, path)
  })
  // Our own address was judged in place of the one that was dropped: a rule that opens /api/ opened everything.
  test('the old endpoint refuses a forwarded host without its path (advisory 21)', async () => {
    const { 'X-Forwarded-Uri': _, ...headers } = forwarded('https://app.example.com/secret')
    assert.equal((await get('/api/verify', headers)).status, 401)
  })
  test('the client’s address comes from the trusted proxy alone (advisories 8, 25)', async () => {
    const lan = (headers: Headers) =>
      get('/verify', { ...original('https://lan.example.com/'), ...headers })
    assert.equal((await lan({ 'X-Forwarded-For': '10.1.2.3' })).status, 200)
    assert.equal((await lan({ 'X-Forwarded-For': '::ffff:10.1.2.3' })).status, 200)
    assert.equal((await lan({ 'X-Forwarded-For': '10.1.2.3, 192.0.2.7' })).status, 403)
    assert.equal(
      (await lan({ 'X-Real-IP': '10.1.2.3', 'X-Forwarded-For': '192.0.2.7' })).status,
      403,
    )
    assert.equal((await lan({ Forwarded: 'for=10.1.2.3' })).status, 403)
  })
  test('no header, user agent or method override is a way in (advisories 10, 15, 18)', async () => {
    for (const headers of [
      { 'User-Agent': 'GoogleHC/1.0' },
      { 'User-Agent': 'kube-probe/1.30' },
      { 'X-Forwarded-Prefix': '/public' },
      { 'X-Forwarded-Port': '5000' },
      { 'X-Server-Port': '5000' },
      { 'X-HTTP-Method-Override': 'OPTIONS' },
      { Authorization: 'Bearer am9objpjb3JyZWN0IGhvcnNl' },
      { 'Remote-User': 'john' },
      { Upgrade: 'websocket', Connection: 'Upgrade' },
    ]) {
      const answer = await get('/verify', { ...original('https://app.example.com/'), ...headers })
      assert.equal(answer.status, 401, JSON.stringify(headers))
    }
  })
  test('several questions in one packet get their answers in order', async () => {
    const question = (host: string) =>
      `GET /verify HTTP/1.1\r\nHost: v\r\nX-Original-URL: https://${host}.example.com/\r\nX-Original-Method: GET\r\n\r\n`
    const answer = await send(
      server.port,
      question('public') + question('bank') + question('unknown') + question('public'),
      4,
    )
    assert.deepEqual(answer.match(/HTTP\/1\.1 \d+/g), [
      'HTTP/1.1 200',
      'HTTP/1.1 401',
      'HTTP/1.1 403',
      'HTTP/1.1 200',
    ])
  })
  test('headers of 60 KB are read; past 64 KiB it is 431, and the next request works', async () => {
    const big = (size: number) =>
      get('/verify', {
        ...original('https://app.example.com/'),
        Cookie: `${'x'.repeat(size)}; ${cookie}`,
      })
    assert.equal((await big(60_000)).status, 200)
    assert.equal((await big(70_000)).status, 431)
    assert.equal((await big(10)).status, 200)
  })
  test('many headers push none out: with too many of them, all is refused', async () => {
    const behind = (count: number) => [
      'Host',
      'v',
      ...Array.from({ length: count }, (_, i) => [`a${i}`, '']).flat(),
      ...Object.entries(original('https://app.example.com/')).flat(),
    ]
    assert.equal((await get('/verify', behind(400))).status, 401)
    assert.equal((await get('/verify', [...behind(400), 'X_Original_URL', 'x'])).status, 400)
    for (const count of [498, 500, 4000]) {
      const answer = await get('/verify', [...behind(count), 'X_Original_URL', 'x'])
      assert.equal(answer.status, 431, String(count))
    }
  })
  test('what a 200 allowed is allowed no more once the session is gone from the store (advisory 23)', async () => {
    const mine = await signInAt('auth.example.com', 'john')
    const asked = () => get('/verify', { ...original('https://app.example.com/'), Cookie: mine })
    assert.equal((await asked()).status, 200)
    await server.request('/api/logout', {
      method: 'POST',
      headers: { Host: 'auth.example.com', Cookie: mine, 'Content-Type': 'application/json' },
      body: '{}',
    })
    assert.equal((await asked()).status, 401)
  })
})

suite('verify under bad circumstances', () => {
  const t = suiteCleanup()

  test('a peer that is no trusted proxy is refused before any rule, and named once with the line to add', async () => {
    const server = await startServer(t, {
      config: { ...CHEAP, trusted_proxies: ['10.0.0.0/8'] },
      users: await usersYaml({ john: {} }),
    })
    for (let i = 0; i < 3; i++) {
      const answer = await server.request('/verify', {
        headers: { Host: 'v', ...original('http://public.vestibule.localhost/') },
      })
      assert.equal(answer.status, 403)
    }
    await server.until(/trusted_proxies: \[\\"10\.0\.0\.0\/8\\", \\"127\.0\.0\.1\\"\]/)
    assert.equal(server.output().match(/not a trusted proxy/g)?.length, 1)
  })

  test('a store that fails is 503 with Retry-After, keeps the cookie, and leaves bypass alone', async () => {
    const config = { ...CHEAP }
    const users = await usersYaml({ john: {} })
    const first = await startServer(t, { config, users, keep: true })
    const cookie = await signIn(first.port, 'john')
    await first.stop()
    const { folder, port } = first
    const second = await startServer(t, { config, folder, port })
    const database = new DatabaseSync(join(folder, 'data', 'vestibule.sqlite3'))
    database.exec('alter table sessions rename to hidden')
    const asked = (host: string) =>
      second.request('/verify', {
        headers: { Host: 'v', ...original(`http://${host}.vestibule.localhost/`), Cookie: cookie },
      })
    const down = await asked('app')
    assert.equal(down.status, 503)
    assert.match(down.headers['retry-after'] ?? '', /^\d+$/)
    assert.equal(down.headers['set-cookie'], undefined)
    const open = await asked('public')
    assert.equal(open.status, 200)
    assert.equal(open.headers['remote-user'], '')
    database.exec('alter table hidden rename to sessions')
    database.close()
    const back = await asked('app')
    assert.equal(back.status, 200)
    assert.equal(back.headers['remote-user'], 'john')
  })
})

/** Writes bytes and reads until so many heads of answers are there. */
function send(port: number, bytes: string, answers = 1): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'))
    let text = ''
    const late = setTimeout(() => reject(new Error(`no answer, only: ${text}`)), 30_000)
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      if ((text.match(/HTTP\/1\.1 [2-5]\d\d/g)?.length ?? 0) >= answers) {
        clearTimeout(late)
        socket.destroy()
        resolve(text)
      }
    })
    socket.on('error', reject)
  })
}
