import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apacheUnderTest, startApache } from '../support/apache.ts'
import { startDemoApp } from '../support/demo-app.ts'
import { freePort } from '../support/nginx.ts'
import { proveProxy } from '../support/proxy-proofs.ts'
import { request } from '../support/server.ts'
import { setupWith } from '../support/snippet.ts'

proveProxy(apacheUnderTest)

test('Apache is closed when the Lua fails', { skip: apacheUnderTest.missing }, async (t) => {
  const app = await startDemoApp(t)
  const port = await freePort()
  const setup = setupWith({ listen: `127.0.0.1:${port}`, appUpstream: `127.0.0.1:${app.port}` })
  for (const lua of [
    null,
    'this is no Lua',
    '',
    'function ask(r) error("no") end',
    'require "nothing.of.the.kind" function ask(r) return apache2.OK end',
  ]) {
    const work: (() => unknown)[] = []
    // Each of them gone before the next takes its port.
    await startApache({ after: (one) => void work.push(one as () => unknown) }, setup, lua)
    const answer = await request(port, '/', { headers: { Host: 'app.vestibule.localhost' } })
    assert.equal(answer.status, 500, String(lua))
    for (const one of work.reverse()) await one()
  }
  assert.equal(app.seen.length, 0)
})
