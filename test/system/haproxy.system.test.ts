import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startDemoApp } from '../support/demo-app.ts'
import { haproxyUnderTest, startHaproxy } from '../support/haproxy.ts'
import { freePort } from '../support/nginx.ts'
import { proveProxy } from '../support/proxy-proofs.ts'
import { request } from '../support/server.ts'
import { setupWith } from '../support/snippet.ts'

proveProxy(haproxyUnderTest)

// HAProxy goes on with the next line when a Lua action fails.
test('HAProxy is closed when the Lua fails', { skip: haproxyUnderTest.missing }, async (t) => {
  const app = await startDemoApp(t)
  for (const lua of ['error("no")', 'core.sleep(0.01) error("no")', '', 'txn.http = nil']) {
    const port = await freePort()
    const setup = setupWith({
      listen: `127.0.0.1:${port}`,
      appUpstream: `127.0.0.1:${app.port}`,
    })
    const action = `core.register_action("vestibule", { "http-req" }, function(txn) ${lua} end)`
    await startHaproxy(t, setup, action)
    const answer = await request(port, '/', { headers: { Host: 'app.vestibule.localhost' } })
    assert.equal(answer.status, 503, lua)
  }
  assert.equal(app.seen.length, 0)
})
