import assert from 'node:assert/strict'
import http from 'node:http'
import { connect } from 'node:net'
import { before, suite, test } from 'node:test'
import { suiteCleanup } from '../support/cleanup.ts'
import { type RunningServer, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

/**
 * What each implementation answers, as a table: every method × implementation × kind of caller × who asks × what the
 * rules say. The expectation below is written from the contract, not from the code.
 */
type Headers = Record<string, string>
interface Question<H = Headers> {
  readonly path: string
  readonly method: string
  readonly headers: H
}

const PORTAL = 'https://auth.example.com/'
const METHODS = [
  'GET',
  'HEAD',
  'OPTIONS',
  'POST',
  'PUT',
  'PATCH',
  'DELETE',
  'PROPFIND',
  'MKCOL',
  'LOCK',
]
const HOSTS = {
  bypass: 'public',
  one_factor: 'app',
  two_factor: 'bank',
  deny: 'closed',
  subject: 'admin',
} as const

/** How the same question is put to each implementation. */
const IMPLEMENTATIONS: Readonly<
  Record<string, (method: string, host: string, uri: string) => Question>
> = {
  'auth-request': (method, host, uri) => ({
    path: '/api/authz/auth-request',
    method: 'GET',
    headers: { 'X-Original-URL': `https://${host}${uri}`, 'X-Original-Method': method },
  }),
  'forward-auth': (method, host, uri) => ({
    path: '/api/authz/forward-auth',
    method: 'GET',
    headers: forwarded(method, host, uri),
  }),
  'ext-authz': (method, host, uri) => ({
    path: `/api/authz/ext-authz${uri}`,
    method,
    headers: { Host: host, 'X-Forwarded-Proto': 'https' },
  }),
  legacy: (method, host, uri) => ({
    path: '/api/verify',
    method: 'GET',
    headers: forwarded(method, host, uri),
  }),
  'legacy with rd': (method, host, uri) => ({
    path: `/api/verify?rd=${encodeURIComponent(PORTAL)}`,
    method: 'GET',
    headers: forwarded(method, host, uri),
  }),
  'verify, nginx way': (method, host, uri) => ({
    path: '/verify',
    method: 'GET',
    headers: { 'X-Original-URL': `https://${host}${uri}`, 'X-Original-Method': method },
  }),
  'verify, forward-auth way': (method, host, uri) => ({
    path: '/verify',
    method: 'GET',
    headers: forwarded(method, host, uri),
  }),
}
const forwarded = (method: string, host: string, uri: string): Headers => ({
  'X-Forwarded-Method': method,
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Host': host,
  'X-Forwarded-Uri': uri,
})

const CALLERS: readonly (readonly [Headers, boolean])[] = [
  [{ Accept: 'text/html' }, true],
  [{ Accept: '*/*' }, true],
  [{ Accept: 'application/json, text/html;q=0.9' }, true],
  [{ Accept: 'application/json, */*' }, false],
  [{ Accept: 'application/json' }, false],
  [{}, false],
  [{ Accept: 'text/html', 'X-Requested-With': 'XMLHttpRequest' }, false],
  [{ Accept: 'text/html', 'Sec-Fetch-Mode': 'navigate' }, true],
  [{ Accept: 'text/html', 'Sec-Fetch-Mode': 'cors' }, false],
]

suite('what each implementation answers', () => {
  const t = suiteCleanup()
  const agent = new http.Agent({ keepAlive: true, maxSockets: 1 })
  let server: RunningServer
  let cookie: string

  before(async () => {
    t.after(() => agent.destroy())
    server = await startServer(t, {
      config: {
        ...CHEAP,
        session: {
          cookies: [
            { domain: 'example.com', portal_url: 'https://auth.example.com' },
            { domain: 'bare.test' },
          ],
        },
        access_control: {
          default_policy: 'deny',
          rules: [
            { domain: 'public.example.com', policy: 'bypass' },
            { domain: ['app.example.com', 'app.bare.test'], policy: 'one_factor' },
            { domain: 'bank.example.com', policy: 'two_factor' },
            { domain: 'admin.example.com', policy: 'one_factor', subject: 'group:admins' },
          ],
        },
      },
      users: await usersYaml({ john: {} }),
    })
    const answer = await server.request('/api/firstfactor', {
      method: 'POST',
      headers: { Host: 'auth.example.com', 'Content-Type': 'application/json' },
      body: JSON.stringify({ username: 'john', password: 'correct horse' }),
    })
    cookie = answer.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''
  })

  const ask = ({
    path,
    method,
    headers,
  }: Question<http.OutgoingHttpHeaders>): Promise<http.IncomingMessage & { text: string }> =>
    new Promise((resolve, reject) => {
      const sent = http.request(
        {
          host: '127.0.0.1',
          port: server.port,
          path,
          method,
          headers,
          agent,
          setHost: headers['Host'] === undefined,
        },
        (answer) => {
          let text = ''
          answer.setEncoding('utf8')
          answer.on('data', (chunk: string) => {
            text += chunk
          })
          answer.on('end', () => resolve(Object.assign(answer, { text })))
        },
      )
      sent.on('error', reject)
      sent.end()
    })

  /** Everything that comes back until the server closes, which it does after its answer. */
  const sendAll = (bytes: string): Promise<string> =>
    new Promise((resolve, reject) => {
      let text = ''
      const socket = connect(server.port, '127.0.0.1', () =>
        socket.write(bytes.replaceAll('\r\n\r\n', '\r\nConnection: close\r\n\r\n')),
      )
      socket.setEncoding('latin1').on('data', (chunk) => {
        text += chunk
      })
      socket.on('close', () => resolve(text))
      socket.on('error', (error: NodeJS.ErrnoException) =>
        error.code === 'ECONNRESET' ? undefined : reject(error),
      )
    })

  for (const [name, put] of Object.entries(IMPLEMENTATIONS)) {
    test(`${name}: every method, caller, person and policy`, async () => {
      const nginx = name === 'auth-request' || name === 'verify, nginx way'
      const portalKnown = name !== 'legacy'
      for (const method of METHODS) {
        for (const [caller, navigates] of CALLERS) {
          for (const signedIn of [false, true]) {
            for (const [policy, label] of Object.entries(HOSTS)) {
              const host = `${label}.example.com`
              const uri = '/a%20b?c=d&e=%26'
              const question = put(method, host, uri)
              const headers = {
                ...question.headers,
                ...caller,
                ...(signedIn && { Cookie: cookie }),
              }
              const answer = await ask({ ...question, headers })
              const what = `${name} ${method} ${JSON.stringify(caller)} ${signedIn ? 'john' : 'nobody'} ${policy}`
              const allowed = policy === 'bypass' || (policy === 'one_factor' && signedIn)
              // A rule with a subject asks nobody in particular to sign in first; john is no admin, and what follows is deny.
              const forbidden = policy === 'deny' || (policy === 'subject' && signedIn)
              if (allowed) {
                assert.equal(answer.statusCode, 200, what)
                assert.equal(answer.headers['remote-user'], signedIn ? 'john' : '', what)
                assert.equal(answer.headers['remote-email'], '', what)
                continue
              }
              assert.equal(answer.headers['remote-user'], undefined, what)
              if (forbidden) {
                assert.equal(answer.statusCode, 403, what)
                assert.equal(answer.headers.location, undefined, what)
                assert.equal(
                  /^text\/html/.test(String(answer.headers['content-type'])),
                  navigates,
                  what,
                )
                continue
              }
              const redirect = ['GET', 'HEAD', 'OPTIONS'].includes(method) ? 302 : 303
              assert.equal(
                answer.statusCode,
                navigates && portalKnown && !nginx ? redirect : 401,
                what,
              )
              assert.equal(
                answer.headers.location,
                portalKnown
                  ? `${PORTAL}?rd=${encodeURIComponent(`https://${host}${uri}`)}&rm=${method}`
                  : undefined,
                what,
              )
              assert.equal(answer.headers['www-authenticate'], undefined, what)
              const named = /application\/json/.test(caller['Accept'] ?? '')
              if (!navigates && portalKnown && named && question.method !== 'HEAD')
                assert.equal(JSON.parse(answer.text).login_url, answer.headers.location, what)
              else assert.doesNotMatch(answer.text, /</, what)
            }
          }
        }
      }
    })

    test(`${name}: CONNECT ends the connection, and nothing behind it is answered`, async () => {
      const { path, headers } = put('GET', 'public.example.com', '/')
      const lines = Object.entries({ Host: 'v', ...headers }).map(
        ([key, value]) => `${key}: ${value}`,
      )
      const question = (start: string) => `${[start, ...lines].join('\r\n')}\r\n\r\n`
      const known = await sendAll(question(`GET ${path} HTTP/1.1`))
      assert.match(known, /^HTTP\/1\.1 200 /)
      for (const target of [path, 'app.example.com:80', 'http://public.example.com/'])
        assert.equal(
          await sendAll(question(`CONNECT ${target} HTTP/1.1`) + question(`GET ${path} HTTP/1.1`)),
          '',
          target,
        )
      assert.match(await sendAll(question(`GET ${path} HTTP/1.1`)), /^HTTP\/1\.1 200 /)
    })

    test(`${name}: what cannot be judged is ${name.startsWith('legacy') ? 401 : 400}, never a yes`, async () => {
      const expected = name.startsWith('legacy') ? 401 : 400
      const good = put('GET', 'app.example.com', '/')
      assert.equal(
        (await ask({ ...good, headers: { ...good.headers, Cookie: cookie } })).statusCode,
        200,
      )
      const hosts = [
        'other.test',
        'user@app.example.com',
        'app.example.com, evil.test',
        'app..example.com',
        'evilexample.com',
        'a b',
      ]
      for (const host of hosts) {
        const question = put('GET', host, '/')
        assert.equal(
          (await ask({ ...question, headers: { ...question.headers, Cookie: cookie } })).statusCode,
          expected,
          host,
        )
      }
      for (const scheme of ['http', 'ftp', '', 'https,http', 'https ']) {
        const headers = Object.fromEntries(
          Object.entries(good.headers).map(([key, value]) => [
            key,
            key === 'X-Forwarded-Proto' ? scheme.trimEnd() : value.replace(/^https:/, `${scheme}:`),
          ]),
        )
        // A blank space at the end is taken off by HTTP itself.
        const status = scheme === 'https ' && !('X-Original-URL' in good.headers) ? 200 : expected
        assert.equal(
          (await ask({ ...good, headers: { ...headers, Cookie: cookie } })).statusCode,
          status,
          scheme,
        )
      }
      // Through HAProxy, CONNECT was judged like a GET and opened a tunnel.
      for (const method of ['TRACE', ...(name === 'ext-authz' ? [] : ['CONNECT'])])
        for (const host of ['public.example.com', 'app.example.com'])
          for (const uri of ['/', '']) {
            const question = put(method, host, uri)
            const headers = { ...question.headers, Cookie: cookie }
            const { statusCode } = await ask({ ...question, headers })
            assert.equal(statusCode, expected, `${method} ${host}${uri}`)
          }
      if (name.startsWith('legacy'))
        assert.equal((await ask({ ...good, method: 'TRACE' })).statusCode, expected)
      for (const header of [
        'X-Forwarded-Host',
        'X_Forwarded_Proto',
        'X.Original.URL',
        'X_Authelia_URL',
        'X.Forwarded.For',
      ]) {
        if (header.includes('-')) continue
        assert.equal(
          (await ask({ ...good, headers: { ...good.headers, [header]: 'x', Cookie: cookie } }))
            .statusCode,
          expected,
          header,
        )
      }
      for (const from of ['garbage', '192.0.2.1:80', 'fe80::1%eth0'])
        assert.equal(
          (
            await ask({
              ...good,
              headers: { ...good.headers, 'X-Forwarded-For': from, Cookie: cookie },
            })
          ).statusCode,
          expected,
          from,
        )
    })

    test(`${name}: an override of the portal counts only inside the cookie domain`, async () => {
      const question = put('GET', 'app.example.com', '/')
      const with_ = (portal: string): Question =>
        name === 'ext-authz'
          ? { ...question, headers: { ...question.headers, 'X-Authelia-URL': portal } }
          : {
              ...question,
              path: `${question.path.split('?')[0]}?${name.startsWith('legacy') ? 'rd' : 'authelia_url'}=${encodeURIComponent(portal)}`,
            }
      const good = await ask({
        ...with_('https://login.example.com/x?lang=de'),
        headers: { ...with_('https://login.example.com/x?lang=de').headers, Accept: 'text/html' },
      })
      assert.match(
        String(good.headers.location),
        /^https:\/\/login\.example\.com\/x\?lang=de&rd=https%3A%2F%2Fapp\.example\.com%2F&rm=GET$/,
      )
      for (const bad of [
        'https://evil.test/',
        'https://evilexample.com/',
        'http://login.example.com/',
        'https://x@login.example.com/',
        '/login',
        'https://login.example.com:0x/',
        'https://login.example.com\\@evil.test',
        // Another origin to a browser: no cookie of the domain is sent there.
        'https://login.example.com./',
        'https://login.example.com.:443/',
        'https://login.example.com%2e/',
      ])
        assert.equal((await ask(with_(bad))).statusCode, name.startsWith('legacy') ? 401 : 400, bad)
      if (name === 'ext-authz' || name === 'legacy')
        for (const second of ['https://login.example.com/', '']) {
          const twice = ['https://auth.example.com/', second]
          const headers: http.OutgoingHttpHeaders = { ...question.headers, 'X-Authelia-URL': twice }
          assert.equal(
            (await ask({ ...question, headers })).statusCode,
            name === 'legacy' ? 401 : 400,
          )
        }
      const bare = put('GET', 'app.bare.test', '/')
      const needsPortal = !name.startsWith('legacy')
      assert.equal((await ask(bare)).statusCode, needsPortal ? 400 : 401)
    })
  }

  test('ext-authz: path and query behind the endpoint are the target; one slash of a prefix is dropped', async () => {
    for (const [path, rd] of [
      ['/api/authz/ext-authz', 'https://app.example.com'],
      ['/api/authz/ext-authz/', 'https://app.example.com/'],
      ['/api/authz/ext-authz//x', 'https://app.example.com/x'],
      [
        '/api/authz/ext-authz/x//y?z=1&authelia_url=https://evil.test',
        'https://app.example.com/x//y?z=1&authelia_url=https://evil.test',
      ],
      ['/api/authz/ext-authz?z', 'https://app.example.com?z'],
    ]) {
      const answer = await ask({
        path: path ?? '',
        method: 'GET',
        headers: { Host: 'app.example.com', 'X-Forwarded-Proto': 'https', Accept: 'text/html' },
      })
      assert.equal(answer.statusCode, 302, path)
      assert.equal(new URL(String(answer.headers.location)).searchParams.get('rd'), rd)
    }
  })
  test('legacy: X-Original-URL counts first, and the operator hears once when the two differ', async () => {
    const headers = {
      ...forwarded('GET', 'public.example.com', '/'),
      'X-Original-URL': 'https://app.example.com/',
    }
    for (let i = 0; i < 3; i++)
      assert.equal((await ask({ path: '/api/verify', method: 'GET', headers })).statusCode, 401)
    const warnings = server.output().match(/name different targets; the first counts/g) ?? []
    assert.equal(warnings.length, 1)
  })
  test('legacy: auth=basic asks for a password', async () => {
    const answer = await ask({
      path: '/api/verify?auth=basic',
      method: 'GET',
      headers: forwarded('GET', 'app.example.com', '/'),
    })
    assert.equal(answer.statusCode, 401)
    assert.equal(answer.headers['www-authenticate'], 'Basic realm="Authorization Required"')
    assert.equal(answer.headers.location, undefined)
  })
})
