import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createApp } from '../../src/app.ts'
import { loadConfig } from '../../src/config/index.ts'
import { createPasswords } from '../../src/features/passwords/index.ts'
import { createMemoryStore, createSessions } from '../../src/features/sessions/index.ts'
import { createThrottle } from '../../src/features/throttle/index.ts'
import { createUsers, hashParameters, type Users } from '../../src/features/users/index.ts'
import { features, migrations } from '../../src/features.ts'
import { systemClock as clock } from '../../src/kernel/clock.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { createLog } from '../../src/log/index.ts'
import { listen } from '../../src/server/listen.ts'
import { openStorage } from '../../src/storage/index.ts'
import { Collector } from '../support/cli.ts'
import { freePort } from '../support/nginx.ts'
import { configFor, PASSWORD, request, signIn } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'
import { verdict } from '../support/verdict.ts'

/** What a bug would say of itself: for the log, and for nobody else. */
const BUG = "Cannot read properties of undefined (reading 'inner workings')"

/** The app with a user backend that has a bug while `broken` is set: the seam at which others plug in theirs. */
async function startApp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-failure-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const file = join(folder, 'config.yml')
  writeFileSync(file, JSON.stringify(configFor(port, folder, CHEAP)))
  const loaded = await loadConfig({ files: [file], env: {}, features, cwd: folder })
  assert.ok(loaded.ok)
  const { config } = loaded

  const out = new Collector()
  const logging = createLog(
    { level: 'info', format: 'text', filePath: undefined, keepStdout: false, pretty: false },
    out,
  )
  const { log } = logging
  const backend = config['authentication_backend.file']
  const passwords = createPasswords({
    parameters: hashParameters(backend.password),
    queue: 8,
    clock,
  })
  const path = join(folder, 'users.yml')
  writeFileSync(path, await usersYaml({ john: {} }))
  const real = await createUsers({
    config: backend,
    path,
    separator: ',',
    passwords,
    rehash: false,
    log,
  })
  const state = { broken: false }
  const bug = (): void => {
    if (state.broken) throw new TypeError(BUG)
  }
  const users: Users = {
    ...real,
    async authenticate(...given) {
      bug()
      return real.authenticate(...given)
    },
    profile(name) {
      bug()
      return real.profile(name)
    },
  }
  const sessions = createSessions({
    config: config['session'],
    store: createMemoryStore(),
    secrets: [new Secret('a secret of the tests, long enough')],
    users,
    clock,
    log,
  })
  const storage = await openStorage({ path: ':memory:', migrations, log })
  t.after(() => storage.close())
  const throttle = await createThrottle({
    redis: undefined,
    limits: config['failed_login_rate_limit'],
    regulation: config['regulation'],
    storage,
    users,
    passwords,
    clock,
    log,
  })
  t.after(() => throttle.close())
  const audit = { record() {}, list: async () => undefined, async close() {} }
  const app = await createApp(config, {
    log,
    clock,
    users,
    sessions,
    throttle,
    audit,
    hub: undefined,
    checks: {},
  })
  const listening = await listen(config['server'].address, {
    handler: (asked, answer) => app.fastify.routing(asked, answer),
    connected: app.connected,
    maxHeaderBytes: 65_536,
    timeouts: { read: 5_000, write: 5_000, idle: 5_000 },
    errorHeaders: {},
    onError: (error) => assert.fail(error),
  })
  t.after(async () => {
    await listening.drain(0)
    await app.fastify.close()
    await sessions.close()
    await users.close()
    await passwords.close()
    await logging.close()
  })
  return { port, state, said: () => out.text }
}

test('a bug in a request is a 500 with an id that the log explains, and the next request works', async (t) => {
  const { port, state, said } = await startApp(t)
  const Host = 'auth.vestibule.localhost'
  const cookie = await signIn(port, 'john')

  state.broken = true
  const credentials = { username: 'john', password: PASSWORD }
  const data = await request(port, '/api/firstfactor', {
    method: 'POST',
    headers: { Host },
    body: JSON.stringify(credentials),
  })
  const page = await request(port, '/', {
    method: 'POST',
    headers: {
      Host,
      Accept: 'text/html',
      Origin: `http://auth.vestibule.localhost:${port}`,
      'Content-Type': 'application/x-www-form-urlencoded',
    },
    body: new URLSearchParams(credentials).toString(),
  })
  const asked = await verdict(port, cookie)
  for (const [name, answer] of Object.entries({ data, page, asked })) {
    assert.equal(answer.status, 500, name)
    assert.equal(answer.headers['set-cookie'], undefined, name)
    assert.equal(answer.headers['remote-user'], undefined, name)
    assert.equal(answer.headers['cache-control'], 'no-store', name)
    assert.equal(answer.headers['x-content-type-options'], 'nosniff', name)
    assert.doesNotMatch(answer.body, /inner workings|TypeError|\.ts:/, name)
  }
  const { message, request_id: id } = JSON.parse(data.body)
  assert.equal(message, 'Something went wrong on our side.')
  const shown = /class="request-id">[^<]*?([\w-]{9,})</.exec(page.body)?.[1]
  assert.notEqual(id, shown)
  for (const wanted of [id, shown]) {
    const line = said()
      .split('\n')
      .find((text) => text.includes(`request_id=${wanted} `))
    assert.match(line ?? said(), /^time=\S+ level=error msg="a request failed" /)
    assert.ok(line?.includes('inner workings') && line.includes('operation-failure'), line)
    assert.ok(!line?.includes(PASSWORD))
  }

  state.broken = false
  assert.equal((await verdict(port, cookie)).status, 200)
  assert.equal((await verdict(port, await signIn(port, 'john'))).status, 200)
})
