import assert from 'node:assert/strict'
import { test } from 'node:test'
import { freePort, nginxUnderTest, noNginx, startNginx } from '../support/nginx.ts'
import { proveProxy } from '../support/proxy-proofs.ts'
import { request, startServer } from '../support/server.ts'
import { nginxSnippet, setupWith } from '../support/snippet.ts'

proveProxy(nginxUnderTest)

// The way to the portal came twice in one answer, didn't fit into nginx's buffer, and nginx said 500.
test('the longest address that may be asked about comes back from the portal', {
  skip: noNginx,
}, async (t) => {
  const server = await startServer(t)
  const port = await freePort()
  const listen = `127.0.0.1:${port}`
  const setup = setupWith({ listen, verifyUpstream: `127.0.0.1:${server.port}` })
  await startNginx(t, nginxSnippet(setup), port)
  const host = `app.vestibule.localhost:${port}`
  const path = `/?${'/'.repeat(16 * 1024 - `http://${host}/?`.length)}`
  const headers = { Host: host, Accept: 'text/html' }
  const answer = await request(port, path, { headers })
  assert.equal(answer.status, 302)
  const location = answer.headers.location ?? ''
  assert.ok(location.length > 48_000, String(location.length))
  assert.equal(new URL(location).searchParams.get('rd'), `http://${host}${path}`)
  // One more is malformed, and closed.
  assert.equal((await request(port, `${path}/`, { headers })).status, 500)
})
