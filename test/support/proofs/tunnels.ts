/** Upgrades and tunnels. */
import assert from 'node:assert/strict'
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
} as const satisfies Readonly<Record<string, Proof>>
