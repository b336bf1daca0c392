/**
 * What has to be true of an app behind any proxy that was given our snippet: one list, run against each real proxy.
 *
 * A proxy that can't keep one says so in its table, with the reason; then the proof has to fail, so that the table stays
 * true, and docs/guides/proxies.md shows it.
 */
import assert from 'node:assert/strict'
import { before, suite, type TestContext, test } from 'node:test'
import { type ProxySetup, setupFor } from '../../src/features/proxy-config/index.ts'
import { parseListenAddress } from '../../src/kernel/address.ts'
import { suiteCleanup } from './cleanup.ts'
import { type DemoApp, startDemoApp } from './demo-app.ts'
import { freePort } from './nginx.ts'
import { DOMAIN_PROOFS } from './proxy-domains.ts'
import {
  type Answer,
  PASSWORD,
  type RunningServer,
  request,
  signIn,
  startServer,
} from './server.ts'
import { CHEAP, usersYaml } from './users.ts'
import { openSocket as openSocketAt, raw } from './wire.ts'

const HTML = 'text/html,application/xhtml+xml,*/*;q=0.8'
const DOMAIN = 'vestibule.localhost'
/** Of the scene with two of them, with another cookie. */
const SECOND = 'second.localhost'
/** The hosts of the app behind the proxy. `open` is another app's, somewhere else, and open to everybody. */
const HOSTS = ['app', 'public', 'admin', 'bank'] as const
const ELSEWHERE = 'open'
const IDENTITY = ['Remote-User', 'Remote-Groups', 'Remote-Name', 'Remote-Email'] as const

const PATHS = [
  '/a%2Fb',
  '/%C3%BCber',
  '/a//b',
  '/a/./b?x=%26&y',
  '/a/%2e%2e/b',
  '/a%5Cb',
  '/a;b=c',
  '/?',
]

/** Not the address that a proxy asks from. */
const CLIENT = '127.0.0.5'
/** Ours, and not what a client said; Envoy calls a client on the same machine by the machine's address. */
const ADDRESS = /^(?!203\.0\.113\.)[\d.]+$/
const DEFAULT: Names = {
  cookie: 'vestibule_session',
  basePath: '',
  identityHeaders: {
    user: IDENTITY[0],
    groups: IDENTITY[1],
    name: IDENTITY[2],
    email: IDENTITY[3],
  },
}
/** With signs that patterns know, as many as a configuration takes. */
const OWN: Names = {
  cookie: 'my.session+$1',
  basePath: '/auth.d',
  identityHeaders: {
    user: 'X-Auth-User',
    groups: 'X_Auth_Groups',
    name: 'X-Auth-Full-Name',
    email: 'X-Mail',
  },
}
const TWO: Names = { ...DEFAULT, second: { domain: SECOND, cookie: 'second_session' } }
/** Some 6 KiB together. */
const MANY_GROUPS = Array.from({ length: 400 }, (_, index) => `department-${index}`)

/** Sent by nobody but people who try. */
const ODD_PATHS = [
  '///a',
  '/.//a',
  '/%2e//a',
  '/x/..//a',
  '/xadmin/..//',
  '/../a',
  '/a/../../b',
  '/\\a',
  '/a#b',
  '/a?b#c?d',
  '/a"<>|b',
  '/%',
  '/a%zz',
  '/a%00b',
  '/a\u00fcb',
  '/a%c0%afb',
]

/** By which a client could tell an app of another path, method or place than what was asked about. */
const OVERRIDES = [
  ...['X-Original-URL', 'X-Rewrite-URL', 'X-Original-URI', 'X-Forwarded-Uri', 'X-Forwarded-Prefix'],
  ...['X-HTTP-Method-Override', 'X-Method-Override', 'X-HTTP-Method'],
  ...['X-Forwarded-Method', 'X-Original-Method'],
  ...['Forwarded', 'X-Forwarded-Server', 'X-Forwarded-Port', 'X-Real-IP'],
]
/** What proxies say themselves, and a client only in other spellings. */
const SAID = ['X-Forwarded-For', 'X-Forwarded-Proto', 'X-Forwarded-Host']
/** The signs of a name of four parts. */
const SPELLINGS = ['-', '_', '.'].flatMap((first) =>
  ['-', '_', '.'].flatMap((second) => ['-', '_', '.'].map((third) => first + second + third)),
)

type Host = (typeof HOSTS)[number] | typeof ELSEWHERE | 'auth'

export interface Scene {
  readonly app: DemoApp
  readonly server: RunningServer
  readonly port: number
  /** John's session, `name=value`. */
  readonly cookie: string
  /** Sessions of others; one more of John's to sign out. Signed in together, because an answer takes its time. */
  readonly others: { readonly bob: string; readonly ann: string; readonly leaving: string }
  readonly portal: string
  /** Each cookie domain with its portal and somebody's session there, `name=value`. */
  readonly domains: readonly {
    readonly domain: string
    readonly portal: string
    readonly user: string
    readonly cookie: string
  }[]
  /** One request through the proxy, to `app` unless another host is named. */
  ask(path: string, options?: Asked): Promise<Answer>
  /** What the app saw while this was done. */
  during(work: () => Promise<unknown>): Promise<DemoApp['seen']>
}

interface Asked {
  readonly host?: Host
  readonly domain?: string
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string
}

export interface Proof {
  readonly title: string
  readonly prove: (scene: Scene) => Promise<void>
}

/** In the order in which they run; the last one stops the server. */
export const PROOFS = {
  'to-portal': {
    title: 'a browser without session is sent to the portal, with where it wanted to go',
    async prove({ ask, port, portal }) {
      const answer = await ask('/a/b%20c?d=e&f=g%26h', { headers: { Accept: HTML } })
      assert.equal(answer.status, 302)
      const location = new URL(answer.headers.location ?? '')
      assert.equal(location.origin, portal)
      assert.equal(
        location.searchParams.get('rd'),
        `http://app.${DOMAIN}:${port}/a/b%20c?d=e&f=g%26h`,
      )
      assert.equal(location.searchParams.get('rm'), 'GET')
      const head = await ask('/', { method: 'HEAD', headers: { Accept: HTML } })
      assert.equal(head.status, 302)
    },
  },
  'post-303': {
    title: 'a browser that posts without session is sent there with 303',
    async prove({ ask }) {
      const answer = await ask('/form', { method: 'POST', headers: { Accept: HTML }, body: 'a=b' })
      assert.equal(answer.status, 303)
      assert.equal(new URL(answer.headers.location ?? '').searchParams.get('rm'), 'POST')
    },
  },
  script: {
    title: 'a script without session gets 401, where to sign in, and no HTML',
    async prove({ ask, portal }) {
      for (const headers of [
        { Accept: 'application/json' },
        { Accept: '*/*', 'Sec-Fetch-Mode': 'cors' },
        { Accept: HTML, 'X-Requested-With': 'XMLHttpRequest' },
      ]) {
        const answer = await ask('/api', { headers })
        assert.equal(answer.status, 401)
        assert.ok(answer.headers.location?.startsWith(`${portal}/?rd=`), answer.headers.location)
        assert.doesNotMatch(answer.headers['content-type'] ?? '', /html/)
        assert.ok(!answer.body.includes('<'), 'HTML')
        if (headers.Accept === 'application/json')
          assert.equal(JSON.parse(answer.body).login_url, answer.headers.location)
      }
    },
  },
  basic: {
    title:
      'a program gets in with a name and a password (Basic), and is told what to send when they are wrong',
    async prove({ ask, app, during }) {
      const basic = (password: string) => ({
        Authorization: `Basic ${Buffer.from(`john:${password}`).toString('base64')}`,
      })
      const known = await ask('/', { headers: basic(PASSWORD) })
      assert.equal(known.status, 200)
      assert.deepEqual(app.folded('Remote-User'), ['john'])
      const seen = await during(async () => {
        const wrong = await ask('/', { headers: basic('wrong') })
        assert.equal(wrong.status, 401)
        assert.match(wrong.headers['www-authenticate'] ?? '', /^Basic realm=/)
      })
      assert.deepEqual(seen, [])
    },
  },
  identity: {
    title: 'the app learns who it is: each identity header exactly once, names in UTF-8',
    async prove({ ask, port, app, cookie }) {
      const answer = await ask('/', { headers: { Cookie: cookie } })
      assert.equal(answer.status, 200)
      assert.deepEqual(app.folded('Remote-User'), ['john'])
      assert.deepEqual(app.folded('Remote-Groups'), ['admins,dev'])
      assert.deepEqual(app.folded('Remote-Email'), ['john@example.com'])
      assert.deepEqual(app.folded('Host'), [`app.${DOMAIN}:${port}`])
      assert.deepEqual(
        app.folded('Remote-Name').map((name) => Buffer.from(name, 'latin1').toString()),
        ['Jöhn Døe'],
      )
    },
  },
  groups: {
    title: 'the groups of somebody who is in hundreds of them arrive whole',
    async prove({ ask, app, others }) {
      assert.equal((await ask('/', { headers: { Cookie: others.ann } })).status, 200)
      assert.deepEqual(app.folded('Remote-Groups'), [MANY_GROUPS.join(',')])
    },
  },
  forged: {
    title:
      'identity headers of a client, in any spelling (`Remote_User`, `Remote.User`), never reach the app',
    async prove({ ask, app, cookie }) {
      for (const host of ['app', 'public'] as const) {
        for (const sign of ['-', '_', '.', '!', '~', '|', "'", '`']) {
          const forged = Object.fromEntries(
            IDENTITY.map((name) => [name.replaceAll('-', sign), 'mallory']),
          )
          const headers = host === 'app' ? { ...forged, Cookie: cookie } : forged
          const answer = await ask('/', { host, headers })
          // A proxy may refuse such names altogether.
          if (answer.status === 400 && sign !== '-') continue
          assert.equal(answer.status, 200, `${host} ${sign}`)
          assert.doesNotMatch(JSON.stringify(app.seen.at(-1)?.headers), /mallory/)
          assert.deepEqual(
            app.folded('Remote-User').filter((value) => value !== ''),
            host === 'app' ? ['john'] : [],
            `${host} ${sign}`,
          )
        }
      }
    },
  },
  asked: {
    title: 'what is asked about is not the client’s to say: X-Forwarded-*, X-Original-*',
    async prove({ ask, port, app, cookie, during }) {
      const url = `http://public.${DOMAIN}:${port}/`
      const forged = {
        'X-Original-URL': url,
        'X-Original-URI': '/',
        'X-Original-Method': 'OPTIONS',
        'X-Rewrite-URL': '/',
        'X-Forwarded-Host': `public.${DOMAIN}`,
        'X-Forwarded-Uri': '/',
        'X-Forwarded-Method': 'OPTIONS',
        'X-Forwarded-Proto': 'https',
        'X-Forwarded-For': '203.0.113.9',
        'X-Authelia-URL': 'https://elsewhere.test',
      }
      for (const headers of [
        forged,
        { X_Forwarded_Host: `public.${DOMAIN}`, X_Original_URL: url, 'X.Forwarded.Uri': '/' },
      ]) {
        const seen = await during(async () => {
          const answer = await ask('/', {
            host: 'bank',
            headers: { Accept: 'application/json', ...headers },
          })
          assertNo(answer.status)
          assert.doesNotMatch(answer.headers.location ?? '', /elsewhere/)
        })
        assert.equal(seen.length, 0)
      }
      // Nor does the app believe it.
      await ask('/', { headers: { ...forged, Cookie: cookie } })
      assert.deepEqual(app.folded('X-Original-URL'), [])
      assert.deepEqual(app.folded('X-Rewrite-URL'), [])
      assert.match(app.folded('X-Forwarded-For').join(), ADDRESS)
      assert.deepEqual(app.folded('X-Forwarded-Proto'), ['http'])
      assert.match(app.folded('X-Forwarded-Host').join(), /^app\.vestibule\.localhost(:\d+)?$/)
    },
  },
  overrides: {
    title:
      'no app hears from a client of another path, method or place: `X-Forwarded-Uri`, `X-HTTP-Method-Override`, `Forwarded` and their kin, however spelled with - _ .',
    async prove({ ask, port, app, cookie, during }) {
      for (const signs of SPELLINGS) {
        const spelled = [...OVERRIDES, ...(signs.startsWith('--') ? [] : SAID)].map((name) => {
          const [first, ...rest] = name.split('-')
          return [first, ...rest.flatMap((part, index) => [signs[index], part])].join('')
        })
        for (const host of ['app', 'public'] as const) {
          const forged = Object.fromEntries(spelled.map((name) => [name, 'mallory']))
          let status = 0
          const seen = await during(async () => {
            const headers = { ...forged, ...(host === 'app' && { Cookie: cookie }) }
            status = (await ask('/a', { host, method: 'POST', headers })).status
          })
          // A proxy may refuse such names altogether.
          if (status === 400 && signs !== '---') continue
          assert.equal(status, 200, `${host} ${signs}`)
          assert.deepEqual([seen[0]?.method, seen[0]?.url], ['POST', '/a'])
          assert.doesNotMatch(JSON.stringify(seen), /mallory/, signs)
        }
      }
      const lines = ['X-HTTP-Method-Override', 'X-Forwarded-Uri', 'X_Forwarded_Host', 'Forwarded']
      const forged = Object.fromEntries(lines.map((name) => [name, 'mallory']))
      assert.equal((await openSocket(port, { Cookie: cookie, ...forged })).status, 101)
      assert.doesNotMatch(JSON.stringify(app.seen.at(-1)), /mallory/)
    },
  },
  address: {
    title: 'the address that is asked about is the client’s, and not what it says of itself',
    async prove({ port, server, app }) {
      const lines = (host: Host) => [
        `Host: ${host}.${DOMAIN}`,
        'X-Forwarded-For: 203.0.113.9',
        'X-Real-IP: 203.0.113.9',
      ]
      await raw(port, 'GET / HTTP/1.1', lines('public'), '', CLIENT)
      const [address] = app.folded('X-Forwarded-For')
      assert.match(address ?? '', ADDRESS)
      const said = server.output().length
      await raw(port, 'GET / HTTP/1.1', lines('bank'), '', CLIENT)
      const [, asked] = await server.until(
        /needs a sign-in.*bank.*remote_ip"?[=:]"?([^\s"]+)/,
        said,
      )
      assert.equal(asked, address)
    },
  },
  host: {
    title: 'the host that is asked about is the host that answers',
    async prove({ port, app, cookie, during }) {
      const open = `${ELSEWHERE}.${DOMAIN}:${port}`
      const mine = `app.${DOMAIN}:${port}`
      const paths = [
        ['/secret', open],
        [`http://${mine}/secret`, open],
        [`http://${open}/secret`, mine],
        [`http://${mine}/secret`, mine],
        ['/secret', `${open},${mine}`],
        ['/secret', `${mine},${open}`],
        [`http://${open}@${mine}/secret`, mine],
      ] as const
      for (const [path, host] of paths) {
        const seen = await during(() => raw(port, `GET ${path} HTTP/1.1`, [`Host: ${host}`]))
        assert.deepEqual(seen, [], `${path} ${host}`)
      }
      // A host that the proxy was not told of is no app's, whatever the rules say about it.
      for (const host of [open, 'nobody.test', '127.0.0.1', `auth.${DOMAIN}.nobody.test`]) {
        const lines = [`Host: ${host}`, `Cookie: ${cookie}`]
        assert.deepEqual(await during(() => raw(port, 'GET /secret HTTP/1.1', lines)), [], host)
      }
      // Of two hosts of one app, it sees the one that was asked about.
      for (const [path, host] of [
        [`http://bank.${DOMAIN}:${port}/x`, `public.${DOMAIN}:${port}`],
        [`http://public.${DOMAIN}:${port}/x`, `bank.${DOMAIN}:${port}`],
      ] as const) {
        const seen = await during(() => raw(port, `GET ${path} HTTP/1.1`, [`Host: ${host}`]))
        for (const { url } of seen) {
          assert.match(app.folded('Host').join(), /^public\./)
          assert.doesNotMatch(url, /bank/)
        }
      }
    },
  },
  connection: {
    title: 'a Connection header strips nothing that was decided',
    async prove({ port, ask, app, cookie, during }) {
      const nominated = [...IDENTITY, 'X-Forwarded-Host', 'X-Forwarded-Uri', 'X-Forwarded-Method']
      const Connection = ['close', ...nominated, 'X-Forwarded-Proto', 'X-Original-URL'].join(', ')
      const known = await during(() => ask('/', { headers: { Cookie: cookie, Connection } }))
      // A proxy may refuse such a request.
      if (known.length > 0) {
        assert.deepEqual(app.folded('Remote-User'), ['john'])
        assert.deepEqual(app.folded('Remote-Groups'), ['admins,dev'])
      }
      for (const more of [Connection, 'Upgrade, Remote-User, Cookie, X-Forwarded-Uri']) {
        const seen = await during(() =>
          raw(port, 'GET / HTTP/1.1', [
            `Host: bank.${DOMAIN}`,
            `Connection: ${more}`,
            'Upgrade: websocket',
          ]),
        )
        assert.deepEqual(seen, [])
      }
      const socket = await openSocket(port, { Cookie: cookie, Connection: 'Upgrade, Remote-User' })
      if (socket.status === 101) assert.deepEqual(app.folded('Remote-User'), ['john'])
    },
  },
  cookie: {
    title: 'the app never sees the session cookie; its own cookies stay',
    async prove({ ask, port, app, cookie }) {
      for (const [sent, left] of [
        [`theme=dark; ${cookie}; lang=en`, ['theme=dark; lang=en']],
        [`${cookie}; lang=en`, ['lang=en']],
        [`theme=dark; ${cookie}`, ['theme=dark']],
        [cookie, []],
        [`x${cookie}; a=vestibule_session; b="c"`, [`x${cookie}; a=vestibule_session; b="c"`]],
      ] as const) {
        await ask('/', { host: 'public', headers: { Cookie: sent } })
        assert.deepEqual(cookiesOf(app), left, sent)
      }
      assert.equal((await ask('/', { headers: { Cookie: `a=b; ${cookie}` } })).status, 200)
      assert.deepEqual(cookiesOf(app), ['a=b'])
      await openSocket(port, { Cookie: cookie })
      assert.deepEqual(cookiesOf(app), [])
    },
  },
  'cookie-trick': {
    title: 'the session cookie is kept from the app however often and however oddly it comes',
    async prove({ port, ask, app, cookie }) {
      const [name, value = ''] = cookie.split('=')
      const other = `${value.slice(0, -1)}${value.endsWith('A') ? 'B' : 'A'}`
      for (const sent of [
        `a=1; ${cookie}; ${name}=${other}; b=2`,
        `${cookie};${cookie};${cookie};${cookie};${cookie}`,
        `${name} =${value}`,
        `${name}\t= ${value}`,
        `a=b;\t${cookie}`,
        `a=b ;${name}="${value}"; c=d`,
        `;;; ;${cookie};;`,
        `a="; ${cookie}; b="`,
      ]) {
        await ask('/', { host: 'public', headers: { Cookie: sent } })
        assert.doesNotMatch(app.folded('Cookie').join(), new RegExp(`${value}|${other}`), sent)
      }
      for (const lines of [
        [`Cookie: a=1`, `Cookie: ${cookie}`, 'Cookie: b=2'],
        [`Cookie: ${cookie}`, `Cookie: ${cookie}`],
      ]) {
        await raw(port, 'GET / HTTP/1.1', [`Host: public.${DOMAIN}`, ...lines])
        assert.doesNotMatch(app.folded('Cookie').join(), new RegExp(value), lines.join())
      }
    },
  },
  body: {
    title: 'a POST arrives whole, with a length and in chunks',
    async prove({ ask, port, app, cookie }) {
      const body = 'x'.repeat(100_000)
      const answer = await ask('/upload', { method: 'POST', headers: { Cookie: cookie }, body })
      assert.equal(answer.status, 200)
      assert.equal(app.seen.at(-1)?.body.length, body.length)
      assert.equal(app.seen.at(-1)?.method, 'POST')
      const chunked = await raw(
        port,
        'POST /upload HTTP/1.1',
        [`Host: app.${DOMAIN}`, `Cookie: ${cookie}`, 'Transfer-Encoding: chunked'],
        '5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n',
      )
      assert.match(chunked, /^HTTP\/1\.1 200 /)
      assert.equal(app.seen.at(-1)?.body, 'hello world')
    },
  },
  paths: {
    title: 'the path that the app gets is the one that was asked about, however odd',
    async prove({ port, app, cookie }) {
      const host = `Host: app.${DOMAIN}:${port}`
      let passed = 0
      for (const path of [...PATHS, '//a', ...ODD_PATHS]) {
        const seen = app.seen.length
        const known = await raw(port, `GET ${path} HTTP/1.1`, [host, `Cookie: ${cookie}`])
        const url = app.seen[seen]?.url
        // What a proxy refuses by itself, or we by no rule, does not reach the app.
        if (url === undefined) assert.doesNotMatch(known, /^HTTP\/1\.1 [23]/, path)
        else passed++
        const anonymous = await raw(port, `GET ${path} HTTP/1.1`, [host, `Accept: ${HTML}`])
        if (url === undefined) continue
        const location = /^location: (\S+)/im.exec(anonymous)?.[1]
        const asked = new URL(location ?? '').searchParams.get('rd') ?? ''
        assert.equal(Buffer.from(url, 'latin1').toString(), asked.replace(/^http:\/\/[^/?#]*/, ''))
      }
      assert.ok(passed >= 6, `${passed} passed`)
    },
  },
  verbatim: {
    title: 'paths reach the app exactly as they were sent',
    async prove({ ask, app, cookie }) {
      for (const path of PATHS) {
        const answer = await ask(path, { headers: { Cookie: cookie } })
        assert.equal(answer.status, 200, path)
        assert.equal(app.seen.at(-1)?.url, path)
      }
    },
  },
  slashes: {
    title: 'a path that begins with two slashes reaches the app as it was sent',
    async prove({ ask, app, cookie }) {
      assert.equal((await ask('//a?b', { headers: { Cookie: cookie } })).status, 200)
      assert.equal(app.seen.at(-1)?.url, '//a?b')
    },
  },
  long: {
    title:
      'an address and cookies of 8 KiB pass with a session, and come back from the portal without',
    async prove({ ask, port, app, cookie }) {
      const path = `/${'a'.repeat(4100)}?${'%C3%BC'.repeat(690)}`
      assert.ok(path.length > 8 * 1024)
      assert.equal((await ask(path, { headers: { Cookie: cookie } })).status, 200)
      const answer = await ask(path, { headers: { Accept: HTML } })
      assert.equal(answer.status, 302)
      assert.equal(
        new URL(answer.headers.location ?? '').searchParams.get('rd'),
        `http://app.${DOMAIN}:${port}${path}`,
      )
      const mine = `a=${'b'.repeat(9000)}`
      assert.equal((await ask('/', { headers: { Cookie: `${mine}; ${cookie}` } })).status, 200)
      assert.ok(app.folded('Cookie').join().includes(mine), 'the cookies')
    },
  },
  websocket: {
    title: 'a websocket opens with a session and not without',
    async prove({ port, cookie, app, during }) {
      assert.deepEqual(await openSocket(port, { Cookie: cookie }), { status: 101, said: 'hello' })
      assert.deepEqual(app.folded('Remote-User'), ['john'])
      const seen = await during(async () => {
        assertNo((await openSocket(port, {})).status)
      })
      assert.deepEqual(seen, [])
    },
  },
  upgrade: {
    title: 'no other upgrade is passed on: through h2c nobody would ask again',
    async prove({ port, app, cookie, during }) {
      for (const protocols of [['h2c'], ['TLS/1.0'], ['websocket, h2c'], ['h2c', 'websocket']]) {
        const seen = await during(() =>
          raw(port, 'GET / HTTP/1.1', [
            `Host: app.${DOMAIN}`,
            `Cookie: ${cookie}`,
            'Connection: Upgrade, HTTP2-Settings',
            ...protocols.map((protocol) => `Upgrade: ${protocol}`),
            'HTTP2-Settings: AAMAAABkAARAAAAAAAIAAAAA',
          ]),
        )
        if (seen.length === 0) continue
        const passed = app.folded('Upgrade').filter((protocol) => protocol !== 'websocket')
        assert.deepEqual(passed, [], protocols.join(' and '))
      }
    },
  },
  forbidden: {
    title: 'who may not enter is told so: a browser by a page, a script by a plain 403',
    async prove({ ask, others: { bob }, cookie, portal }) {
      const page = await ask('/secret', { host: 'admin', headers: { Cookie: bob, Accept: HTML } })
      if (page.status === 303) {
        assert.ok(page.headers.location?.startsWith(`${portal}/forbidden?rd=`))
      } else {
        assert.equal(page.status, 403)
        assert.match(page.headers['content-type'] ?? '', /^text\/html/)
        assert.match(String(page.headers['content-security-policy']), /default-src/)
        assert.ok(page.body.includes('bob'))
        assert.ok(page.body.trimEnd().endsWith('</html>'))
      }
      const data = await ask('/secret', { host: 'admin', headers: { Cookie: bob } })
      assert.equal(data.status, 403)
      assert.ok(!data.body.includes('<'), 'HTML')
      const allowed = await ask('/secret', { host: 'admin', headers: { Cookie: cookie } })
      assert.equal(allowed.status, 200)
    },
  },
  own: {
    title: 'the app’s own 401 and 403 stay its own',
    async prove({ ask, cookie }) {
      for (const status of [401, 403]) {
        const answer = await ask(`/own-${status}`, { headers: { Cookie: cookie, Accept: HTML } })
        assert.equal(answer.status, status)
        assert.equal(answer.body, `the app says ${status}`)
      }
    },
  },
  portal: {
    title: 'the portal works through the same proxy, which says whose address it is',
    async prove({ ask, server, cookie }) {
      const page = await ask('/', { host: 'auth', headers: { Accept: HTML } })
      assert.equal(page.status, 200)
      assert.ok(page.body.includes('<form'))
      const state = await ask('/api/state', { host: 'auth', headers: { Cookie: cookie } })
      assert.equal(JSON.parse(state.body).data.username, 'john')
      const signIn = (password: string) =>
        ask('/api/firstfactor', {
          host: 'auth',
          method: 'POST',
          headers: {
            'Content-Type': 'application/json',
            'X-Forwarded-For': '203.0.113.9',
            'X-Forwarded-Host': 'elsewhere.test',
            'X-Forwarded-Proto': 'gopher',
          },
          body: JSON.stringify({ username: 'bob', password }),
        })
      const { status, headers } = await signIn(PASSWORD)
      assert.equal(status, 200)
      const session = headers['set-cookie']?.filter((text) => text.startsWith('vestibule_session='))
      assert.equal(session?.length, 1)
      const said = server.output().length
      assert.equal((await signIn('wrong')).status, 401)
      const [, address] = await server.until(/Unsuccessful 1FA .*remote_ip"?[=:]"?([^\s"]+)/, said)
      assert.match(address ?? '', ADDRESS)
    },
  },
  endpoints: {
    title: 'at the portal’s host nobody may ask the verify endpoints',
    async prove({ ask }) {
      for (const path of [
        '/verify',
        '/%76erify',
        '/verify?x',
        '/api/verify',
        '/api/verify/x',
        '/api/authz/forward-auth',
        '/api/authz/ext-authz/x',
      ])
        assert.equal((await ask(path, { host: 'auth' })).status, 404, path)
      // However the path is spelled, there is no verdict.
      const headers = {
        'X-Original-URL': `http://public.${DOMAIN}/`,
        'X-Original-Method': 'GET',
        'X-Forwarded-Uri': '/',
      }
      for (const path of [
        '//verify',
        '/x/../verify',
        '/./verify',
        '/api//verify',
        '/api/%76erify',
        '/api/authz/auth-request',
        '//api/authz/auth-request',
        '/api/authz%2Fauth-request',
      ]) {
        const answer = await ask(path, { host: 'auth', headers })
        assert.ok(![200, 401].includes(answer.status), `${path} ${answer.status}`)
        assert.equal(answer.headers['remote-user'], undefined, path)
      }
    },
  },
  'two-factor': {
    title: 'nobody gets through a rule that asks for two factors',
    async prove({ ask, cookie, during }) {
      const seen = await during(async () => {
        assertNo((await ask('/', { host: 'bank', headers: { Cookie: cookie } })).status)
      })
      assert.deepEqual(seen, [])
    },
  },
  logout: {
    title: 'a session that was signed out opens nothing',
    async prove({ ask, server, others: { leaving: mine } }) {
      assert.equal((await ask('/', { headers: { Cookie: mine } })).status, 200)
      await server.request('/api/logout', {
        method: 'POST',
        headers: { Host: `auth.${DOMAIN}`, Cookie: mine, 'Content-Type': 'application/json' },
        body: '{}',
      })
      assertNo((await ask('/', { headers: { Cookie: mine } })).status)
    },
  },
  closed: {
    title: 'what cannot be asked about is closed: no Host, no path, and a server that is gone',
    async prove({ port, ask, server, cookie, during }) {
      const malformed = [
        raw(port, 'GET / HTTP/1.1', [`Cookie: ${cookie}`]),
        raw(port, 'GET / HTTP/1.0', [`Cookie: ${cookie}`]),
        raw(port, 'GET secret HTTP/1.1', [`Host: app.${DOMAIN}`, `Cookie: ${cookie}`]),
        raw(port, 'OPTIONS * HTTP/1.1', [`Host: app.${DOMAIN}`]),
        raw(port, 'GET / HTTP/1.1', [`Host: app.${DOMAIN}`, `Host: ${ELSEWHERE}.${DOMAIN}`]),
      ]
      const seen = await during(async () => {
        await Promise.all(malformed)
        await server.stop()
        // Together: some proxies try again for seconds.
        const answers = await Promise.all([
          ...(['app', 'public', 'bank'] as const).map((host) =>
            ask('/', { host, headers: { Cookie: cookie } }),
          ),
          openSocket(port, { Cookie: cookie }),
        ])
        for (const { status } of answers) assert.ok(status >= 500, String(status))
      })
      assert.deepEqual(seen, [])
    },
  },
} as const satisfies Readonly<Record<string, Proof>>

/** With names and a base path of somebody's own, in a scene of their own. */
export const OWN_PROOFS = {
  'own-headers': {
    title: 'headers that you have named are as safe: no mixture of - _ . reaches the app',
    async prove({ ask, app, cookie }) {
      const names = Object.values(OWN.identityHeaders)
      for (const first of ['-', '_', '.'])
        for (const second of ['-', '_', '.']) {
          const forged = names.map((name) => {
            const [head, ...tail] = name.split(/[-_]/)
            return [`${head}${first}${tail.join(second)}`, 'mallory']
          })
          const headers = { Cookie: cookie, ...Object.fromEntries(forged) }
          const answer = await ask('/', { headers })
          // A proxy may refuse such names altogether.
          if (answer.status === 400 && `${first}${second}` !== '--') continue
          assert.equal(answer.status, 200, `${first} ${second}`)
          assert.deepEqual(
            names.map((name) => app.folded(name).filter((value) => value !== '')),
            [['john'], ['admins,dev'], ['J\u00c3\u00b6hn D\u00c3\u00b8e'], ['john@example.com']],
            `${first} ${second}`,
          )
        }
    },
  },
  'own-cookie': {
    title: 'a session cookie whose name you have chosen is kept from the app, whatever its signs',
    async prove({ ask, app, cookie }) {
      const answer = await ask('/', { headers: { Cookie: `a=b; ${cookie}; c=d` } })
      assert.equal(answer.status, 200)
      assert.deepEqual(cookiesOf(app), ['a=b; c=d'])
    },
  },
  'base-path': {
    title: 'a portal below a base path works, and its verify endpoints are closed there too',
    async prove({ ask, portal }) {
      const away = await ask('/x', { headers: { Accept: HTML } })
      assert.equal(away.status, 302)
      assert.ok(
        away.headers.location?.startsWith(`${portal}${OWN.basePath}/?`),
        away.headers.location,
      )
      const page = await ask(`${OWN.basePath}/`, { host: 'auth', headers: { Accept: HTML } })
      assert.equal(page.status, 200)
      assert.ok(page.body.includes('<form'))
      const headers = { 'X-Original-URL': `http://public.${DOMAIN}/`, 'X-Original-Method': 'GET' }
      for (const path of ['/verify', '/api/verify', '/api/authz/auth-request'])
        for (const base of ['', OWN.basePath]) {
          const { status } = await ask(base + path, { host: 'auth', headers })
          assert.ok([404, 503].includes(status), `${base}${path} ${status}`)
        }
    },
  },
} as const satisfies Readonly<Record<string, Proof>>

export type ProofId = keyof typeof PROOFS | keyof typeof OWN_PROOFS | keyof typeof DOMAIN_PROOFS

/** What a proxy can't, each with the reason, for the table in docs/guides/proxies.md. */
export type Cannot = Readonly<Partial<Record<ProofId, string>>>

export interface ProxyUnderTest {
  readonly name: string
  /** Why it can't run here; undefined when it can. */
  readonly missing: string | undefined
  readonly cannot: Cannot
  /** Starts the real program with the snippet for this setup, until the suite ends. */
  readonly start: (t: Pick<TestContext, 'after'>, setup: ProxySetup) => Promise<void>
}

/** Every proof against one proxy. */
export function proveProxy({ name, missing, cannot, start }: ProxyUnderTest): void {
  prove(`${name} with our snippet`, PROOFS, DEFAULT)
  prove(`${name} with our snippet for other names`, OWN_PROOFS, OWN)
  prove(`${name} with our snippet for two cookie domains`, DOMAIN_PROOFS, TWO)

  function prove(title: string, proofs: Readonly<Record<string, Proof>>, names: Names): void {
    suite(title, { skip: missing }, () => {
      let scene: Scene
      const t = suiteCleanup()

      before(async () => {
        scene = await openScene(t, start, names)
      })

      for (const [id, { title, prove }] of Object.entries(proofs)) {
        // Of the ids, those that a proxy can't have a reason.
        const reason = cannot[id as ProofId]
        if (reason === undefined) test(title, () => prove(scene))
        else
          test(`NOT: ${title} (${reason})`, async () => {
            await assert.rejects(prove(scene), assert.AssertionError)
          })
      }
    })
  }
}

/** What somebody may call things. */
interface Names {
  readonly cookie: string
  readonly basePath: string
  readonly identityHeaders: ProxySetup['identityHeaders']
  /** Another cookie domain. */
  readonly second?: { readonly domain: string; readonly cookie: string }
}

async function openScene(
  t: Pick<TestContext, 'after'>,
  start: ProxyUnderTest['start'],
  { cookie: cookieName, basePath, identityHeaders, second }: Names,
): Promise<Scene> {
  const app = await startDemoApp(t)
  const port = await freePort()
  const portal = `http://auth.${DOMAIN}:${port}`
  const vestibule = await freePort()
  const address = `tcp://127.0.0.1:${vestibule}${basePath}`
  const domains = [
    { domain: DOMAIN, name: cookieName, user: 'john' },
    ...(second === undefined ? [] : [{ domain: second.domain, name: second.cookie, user: 'bob' }]),
  ].map((one) => ({ ...one, portal: `http://auth.${one.domain}:${port}` }))
  const server = await startServer(t, {
    port: vestibule,
    config: {
      ...CHEAP,
      server: { address },
      session: {
        cookies: domains.map((one) => ({
          domain: one.domain,
          portal_url: `${one.portal}${basePath}`,
          name: one.name,
        })),
      },
      identity_headers: identityHeaders,
      access_control: {
        default_policy: 'deny',
        rules: [
          {
            domain: [DOMAIN, SECOND].flatMap((one) => [`public.${one}`, `${ELSEWHERE}.${one}`]),
            policy: 'bypass',
          },
          { domain: [`app.${DOMAIN}`, `app.${SECOND}`], policy: 'one_factor' },
          { domain: `admin.${DOMAIN}`, policy: 'one_factor', subject: 'group:admins' },
          { domain: `bank.${DOMAIN}`, policy: 'two_factor' },
        ],
      },
    },
    users: await usersYaml({
      john: { groups: ['admins', 'dev'], email: 'john@example.com', displayname: 'Jöhn Døe' },
      bob: {},
      ann: { groups: MANY_GROUPS },
    }),
  })
  const listen = parseListenAddress(address)
  assert.ok(listen)
  const setup = setupFor(
    {
      address: listen,
      domains: domains.map((one) => ({
        ...one,
        hostOnly: false,
        portalUrl: new URL(`${one.portal}${basePath}/`),
      })),
      identityHeaders,
    },
    {
      hosts: domains.flatMap(({ domain }) => HOSTS.map((host) => `${host}.${domain}`)),
      app: `127.0.0.1:${app.port}`,
      listen: `127.0.0.1:${port}`,
    },
  )
  await start(t, { ...setup, cookieNames: ['another_session', ...setup.cookieNames] })
  const [cookie = '', bob = '', ann = '', leaving = ''] = await Promise.all(
    ['john', 'bob', 'ann', 'john'].map((name) => signIn(server.port, name)),
  )
  const sessions = await Promise.all(
    domains.map(({ domain, user }) => signIn(server.port, user, PASSWORD, `auth.${domain}`)),
  )
  return {
    others: { bob, ann, leaving },
    app,
    server,
    port,
    cookie,
    portal,
    domains: domains.map((one, index) => ({ ...one, cookie: sessions[index] ?? '' })),
    ask: (path, { host = 'app', domain = DOMAIN, method = 'GET', headers = {}, body } = {}) =>
      request(port, path, {
        method,
        headers: { Host: `${host}.${domain}:${port}`, ...headers },
        ...(body !== undefined && { body }),
      }),
    async during(work) {
      const seen = app.seen.length
      await work()
      return app.seen.slice(seen)
    },
  }
}

const openSocket = (port: number, headers: Readonly<Record<string, string>>) =>
  openSocketAt(port, `app.${DOMAIN}`, headers)

/** How a no is worded (302, 401) is what `script` and its kin are about. */
export const assertNo = (status: number): void =>
  assert.ok([302, 401].includes(status) || status >= 400, String(status))

/** What the app got; a semicolon may be left at the end. */
export const cookiesOf = (app: DemoApp): readonly string[] =>
  app.folded('Cookie').map((text) => text.replace(/;\s*$/, ''))
