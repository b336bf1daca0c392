/** What a client says about path, method, host and place counts for nothing. */
import assert from 'node:assert/strict'
import { raw } from '../wire.ts'
import {
  ADDRESS,
  assertNo,
  CLIENT,
  DOMAIN,
  ELSEWHERE,
  type Host,
  IDENTITY,
  openSocket,
  type Proof,
} from './scene.ts'

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

export const CLAIM_PROOFS = {
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
} as const satisfies Readonly<Record<string, Proof>>
