import assert from 'node:assert/strict'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { freePort } from '../support/nginx.ts'
import { until } from '../support/pace.ts'
import { missingPostgres, PASSWORD as SECRET, startPostgres } from '../support/postgres.ts'
import { folderWith } from '../support/program.ts'
import {
  configFor,
  PASSWORD,
  type RunningServer,
  run,
  signIn,
  startServer,
} from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

const verify = async (server: RunningServer, Cookie: string): Promise<number> => {
  const answer = await server.request('/verify', {
    headers: {
      'X-Original-URL': 'http://app.vestibule.localhost:8080/',
      'X-Original-Method': 'GET',
      Cookie,
    },
  })
  return answer.status
}
const attempt = (server: RunningServer, password: string) =>
  server.request('/api/firstfactor', {
    method: 'POST',
    headers: {
      Host: `auth.vestibule.localhost:${server.port}`,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({ username: 'john', password }),
  })
const history = (server: RunningServer, Cookie: string) =>
  server.request('/api/user/history', {
    headers: { Host: `auth.vestibule.localhost:${server.port}`, Cookie },
  })

suite('a server on PostgreSQL', { skip: missingPostgres }, () => {
  test('keeps the trail there, says 503 while it is away, and goes on when it is back', async (t) => {
    const postgres = await startPostgres(t)
    const section = await postgres.section({ timeout: '1s' })
    const database = String(section['database'])
    const server = await startServer(t, {
      config: { ...CHEAP, storage: { postgres: section } },
      users: await usersYaml({ john: {} }),
    })
    const Cookie = await signIn(server.port, 'john')
    assert.equal((await attempt(server, 'wrong')).status, 401)
    const told = JSON.parse((await history(server, Cookie)).body).data
    assert.deepEqual(
      told.map(({ event }: { event: string }) => event),
      ['login.failed', 'login.succeeded'],
    )
    const rows = await postgres.ask('select name from audit_events order by id', database)
    assert.deepEqual(
      rows.map(({ name }) => name),
      ['login.succeeded', 'device.added', 'login.failed'],
    )
    const ready = async () => (await server.request('/api/health/ready')).status
    assert.equal(await ready(), 200)

    await postgres.stop()
    assert.equal(await ready(), 503)
    // Nobody gets in while bans cannot be looked up; who is in stays in: sessions are not there.
    for (const password of [PASSWORD, 'wrong']) {
      const refused = await attempt(server, password)
      assert.equal(refused.status, 503, refused.body)
      assert.equal(refused.headers['set-cookie'], undefined)
    }
    assert.equal((await history(server, Cookie)).status, 503)
    assert.equal(await verify(server, Cookie), 200)

    await postgres.start()
    assert.equal(await ready(), 200)
    assert.equal((await attempt(server, PASSWORD)).status, 200)
    assert.equal((await history(server, Cookie)).status, 200)
    assert.doesNotMatch(server.output(), new RegExp(SECRET))
  })

  test('does not start where it cannot sign in to it, and says what to look at', async (t) => {
    const postgres = await startPostgres(t)
    const section = await postgres.section({ password: 'not the password' })
    const port = await freePort()
    const folder = folderWith(t, {})
    const config = configFor(port, folder, { storage: { postgres: section } })
    const file = join(folderWith(t, { 'c.yml': JSON.stringify(config) }), 'c.yml')
    const server = run(['serve', '--config', file], { folder, port })
    assert.equal(await server.ended, 1)
    assert.match(server.output(), /refuses the user "postgres": password authentication failed/)
    assert.match(server.output(), /storage\.postgres\.password/)
    assert.doesNotMatch(server.output(), /not the password|\n\s+at /)
  })
})

test('a start without PostgreSQL loads neither its driver nor, once migrated, a query builder', async (t) => {
  // In the bundle there is no name to look at.
  const bundle = process.env['TESTED_MAIN']
  delete process.env['TESTED_MAIN']
  t.after(() => {
    if (bundle !== undefined) process.env['TESTED_MAIN'] = bundle
  })
  const hook = folderWith(t, {
    'hook.mjs': `import { registerHooks } from 'node:module'
      registerHooks({ resolve(name, context, next) {
        if (/^(kysely|pg)$/.test(name)) console.log('loaded ' + name)
        return next(name, context)
      } })`,
  })
  const env = { NODE_OPTIONS: `--import=${join(hook, 'hook.mjs')}` }
  const folder = folderWith(t, {})
  const users = await usersYaml({ john: {} })
  const first = await startServer(t, { config: CHEAP, users, env, folder, keep: true })
  await first.stop()
  assert.match(first.output(), /loaded kysely/)
  const second = await startServer(t, { config: CHEAP, env, folder, keep: true })
  await second.stop()
  assert.doesNotMatch(second.output(), /loaded/)
})

test('a webhook is told what happens at a running server', async (t) => {
  const posts: { readonly type: string; readonly data: Readonly<Record<string, unknown>> }[] = []
  const receiver = http.createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk
    })
    request.on('end', () => {
      posts.push(JSON.parse(body))
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    receiver.closeAllConnections()
    receiver.close()
  })
  const { port } = receiver.address() as AddressInfo // a TCP server has one
  const secret = 'a secret of the webhook, long enough'
  const server = await startServer(t, {
    config: { ...CHEAP, audit: { webhook: { url: `http://127.0.0.1:${port}/`, secret } } },
    users: await usersYaml({ john: {} }),
  })
  await attempt(server, 'wrong')
  await signIn(server.port, 'john')
  await until('three posts', () => posts.length >= 3)
  assert.deepEqual(
    posts.map(({ type, data }) => [type, data['user'], data['actor']]),
    [
      ['login.failed', 'john', 'unknown'],
      ['login.succeeded', 'john', 'user:john'],
      ['device.added', 'john', 'user:john'],
    ],
  )
  assert.doesNotMatch(server.output(), new RegExp(secret))
})
