/** What is closed. The last proof: it stops the server. */
import assert from 'node:assert/strict'
import { raw } from '../wire.ts'
import { DOMAIN, ELSEWHERE, openSocket, type Proof } from './scene.ts'

export const CLOSED_PROOFS = {
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
