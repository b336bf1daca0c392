import assert from 'node:assert/strict'
import { test } from 'node:test'
import { proxies } from '../../src/features/proxy-config/index.ts'
import { startDemoApp } from '../support/demo-app.ts'
import { haproxyUnderTest, startHaproxy } from '../support/haproxy.ts'
import { freePort } from '../support/nginx.ts'
import { proveProxy } from '../support/proxy-proofs.ts'
import { request, startServer } from '../support/server.ts'
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
    await startHaproxy(t, setup, { 'vestibule.lua': action })
    const answer = await request(port, '/', { headers: { Host: 'app.vestibule.localhost' } })
    assert.equal(answer.status, 503, lua)
  }
  assert.equal(app.seen.length, 0)
})

test('a further app is a line of the map and a backend; a line without its backend opens nothing', {
  skip: haproxyUnderTest.missing,
}, async (t) => {
  const [app, wiki] = [await startDemoApp(t), await startDemoApp(t)]
  const open = {
    access_control: {
      default_policy: 'deny',
      rules: ['wiki', 'gone', 'other'].map((name) => ({
        domain: `${name}.vestibule.localhost`,
        policy: 'bypass',
      })),
    },
  }
  const server = await startServer(t, { config: open })
  const port = await freePort()
  const setup = setupWith({
    verifyUpstream: `127.0.0.1:${server.port}`,
    listen: `127.0.0.1:${port}`,
    appUpstream: `127.0.0.1:${app.port}`,
  })
  const files = Object.fromEntries(proxies.haproxy(setup).map(({ name, text }) => [name, text]))
  await startHaproxy(t, setup, {
    'vestibule-apps.map': `${files['vestibule-apps.map']}wiki.vestibule.localhost wiki\ngone.vestibule.localhost gone\n`,
    'apps.cfg': `${files['apps.cfg']}\nbackend wiki\n    server wiki 127.0.0.1:${wiki.port}\n`,
  })
  const statusOf = async (name: string) =>
    (await request(port, '/', { headers: { Host: `${name}.vestibule.localhost` } })).status
  assert.equal(await statusOf('WIKI'), 200)
  assert.equal(wiki.seen.length, 1)
  assert.equal(await statusOf('gone'), 503)
  assert.equal(await statusOf('other'), 421)
  assert.equal(await statusOf('app'), 403)
  assert.deepEqual([app.seen.length, wiki.seen.length], [0, 1])
})
