/** Upgrades and tunnels. */
import assert from 'node:assert/strict'
import { INNER } from '../../drills/proxy-questions.ts'
import { raw } from '../wire.ts'
import { assertNo, DOMAIN, openSocket, type Proof } from './scene.ts'

export const TUNNEL_PROOFS = {
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
    title: 'no other upgrade is passed on: an h2c tunnel would not be checked',
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
  connect: {
    title: 'CONNECT opens no tunnel, with a session or without: nothing of it reaches the app',
    async prove({ port, cookie, during }) {
      for (const host of ['app', 'public'])
        for (const target of ['app:80', `${host}.${DOMAIN}:80`, '/', `http://${host}.${DOMAIN}/`])
          for (const who of [[], [`Cookie: ${cookie}`]]) {
            const lines = [`Host: ${host}.${DOMAIN}`, ...who]
            const seen = await during(() =>
              raw(port, `CONNECT ${target} HTTP/1.1`, [...lines, 'Connection: keep-alive'], INNER),
            )
            assert.deepEqual(seen, [], target)
          }
    },
  },
  trace: {
    title: 'TRACE reaches no app, open to all or not',
    async prove({ ask, cookie, during }) {
      for (const host of ['app', 'public'] as const)
        for (const headers of [{}, { Cookie: cookie }]) {
          const seen = await during(async () => {
            const { status } = await ask('/', { host, method: 'TRACE', headers })
            assert.ok(status >= 400, String(status))
          })
          assert.deepEqual(seen, [])
        }
    },
  },
  'own-405': {
    title: 'CONNECT and TRACE are refused by the proxy itself, before anything is asked',
    async prove({ port, ask, cookie }) {
      const lines = [`Host: app.${DOMAIN}`, `Cookie: ${cookie}`]
      // To some, CONNECT is no HTTP at all.
      const answer = await raw(port, `CONNECT app.${DOMAIN}:80 HTTP/1.1`, lines)
      assert.match(answer, /^HTTP\/1\.1 40[05] /)
      for (const host of ['app', 'auth'] as const)
        assert.equal((await ask('/', { host, method: 'TRACE' })).status, 405, host)
    },
  },
} as const satisfies Readonly<Record<string, Proof>>
