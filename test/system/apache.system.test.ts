import assert from 'node:assert/strict'
import { test } from 'node:test'
import { apacheUnderTest, startApache } from '../support/apache.ts'
import { startDemoApp } from '../support/demo-app.ts'
import { freePort } from '../support/nginx.ts'
import { DOMAIN } from '../support/proofs/scene.ts'
import { proveProxy } from '../support/proxy-proofs.ts'
import { request, startServer } from '../support/server.ts'
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
    await startApache({ after: (one) => void work.push(one as () => unknown) }, setup, { lua })
    const answer = await request(port, '/', { headers: { Host: 'app.vestibule.localhost' } })
    assert.equal(answer.status, 500, String(lua))
    for (const one of work.reverse()) await one()
  }
  assert.equal(app.seen.length, 0)
})

test('a further app is a VirtualHost with one line more, and is asked about', {
  skip: apacheUnderTest.missing,
}, async (t) => {
  const [app, wiki] = [await startDemoApp(t), await startDemoApp(t)]
  const rules = [{ domain: ['wiki', 'other'].map((name) => `${name}.${DOMAIN}`), policy: 'bypass' }]
  const server = await startServer(t, {
    config: { access_control: { default_policy: 'deny', rules } },
  })
  const port = await freePort()
  const site = (name: string, upstream: number) => `<VirtualHost 127.0.0.1:${port}>
    ServerName ${name}.${DOMAIN}
    Use Vestibule http://127.0.0.1:${upstream}/
</VirtualHost>
`
  const setup = setupWith({
    verifyUpstream: `127.0.0.1:${server.port}`,
    listen: `127.0.0.1:${port}`,
    portalHost: `auth.${DOMAIN}`,
  })
  await startApache(t, setup, { apps: site('app', app.port) + site('wiki', wiki.port) })
  const statusOf = async (name: string) =>
    (await request(port, '/', { headers: { Host: `${name}.${DOMAIN}` } })).status
  assert.equal(await statusOf('wiki'), 200)
  assert.equal(wiki.seen.length, 1)
  assert.equal(await statusOf('app'), 403)
  // The rules would let it through.
  assert.ok([400, 421].includes(await statusOf('other')))
  assert.deepEqual([app.seen.length, wiki.seen.length], [0, 1])
})
