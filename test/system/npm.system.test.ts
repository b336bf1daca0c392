import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDemoApp } from '../support/demo-app.ts'
import { freePort, noNginx } from '../support/nginx.ts'
import { npmUnderTest, startNpm } from '../support/npm.ts'
import { proveProxy } from '../support/proxy-proofs.ts'
import { request, startServer } from '../support/server.ts'
import { setupWith } from '../support/snippet.ts'

proveProxy(npmUnderTest)

// "Cache Assets" and "Custom Locations" are locations of their own: a question in location / would not be theirs.
test('Nginx Proxy Manager’s other locations are asked about too', { skip: noNginx }, async (t) => {
  const app = await startDemoApp(t)
  const server = await startServer(t)
  const port = await freePort()
  const setup = setupWith({
    listen: `127.0.0.1:${port}`,
    verifyUpstream: `127.0.0.1:${server.port}`,
    appUpstream: `127.0.0.1:${app.port}`,
  })
  const proxy = 'proxy_pass $forward_scheme://$server:$port$request_uri;'
  await startNpm(
    t,
    setup,
    `location ~* ^.*\\.(css|js|png)$ { ${proxy} }\n  location ^~ /api/ { ${proxy} }`,
  )
  for (const path of ['/private/photo.png', '/a.css?x', '/api/secret'])
    assert.equal(
      (await request(port, path, { headers: { Host: 'app.vestibule.localhost' } })).status,
      401,
      path,
    )
  assert.equal(app.seen.length, 0)
})
