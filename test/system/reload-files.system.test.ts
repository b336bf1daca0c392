import assert from 'node:assert/strict'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { before, suite, type TestContext, test } from 'node:test'
import { suiteCleanup } from '../support/cleanup.ts'
import { assertDiscreet } from '../support/discretion.ts'
import { freePort } from '../support/nginx.ts'
import { fastest } from '../support/pace.ts'
import {
  configFor,
  PASSWORD,
  type RunningServer,
  run,
  signIn,
  startServer,
} from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'
import { eventually, eventuallyAnswers, verdict } from '../support/verdict.ts'

suite('the users file is taken up while the server runs', () => {
  const t = suiteCleanup()
  const everybody = { john: { groups: ['admins'] }, bob: {}, eve: {} }
  let server: RunningServer
  let users: string

  before(async () => {
    users = await usersYaml(everybody)
    server = await startServer(t, { config: CHEAP, users })
  })
  const edit = (change: (users: Record<string, Record<string, unknown>>) => void): void => {
    const file = JSON.parse(users)
    change(file.users)
    writeFileSync(server.usersFile, JSON.stringify(file, null, 2))
  }

  test('a group that is taken away closes what it opened, for sessions that are open', async () => {
    const cookie = await signIn(server.port, 'john')
    assert.equal((await verdict(server.port, cookie, { app: 'admin' })).status, 200)
    edit(({ john }) => Object.assign(john ?? {}, { groups: ['dev'] }))
    const refused = await eventuallyAnswers(server.port, cookie, 403, 'admin')
    assert.equal(refused.headers['remote-user'], undefined)
    const passed = await verdict(server.port, cookie)
    assert.deepEqual([passed.status, passed.headers['remote-groups']], [200, 'dev'])
  })
  test('a user who is disabled or deleted is signed out, and coming back takes a new sign-in', async () => {
    const cookies = { bob: await signIn(server.port, 'bob'), eve: await signIn(server.port, 'eve') }
    edit((file) => {
      Object.assign(file['bob'] ?? {}, { disabled: true })
      delete file['eve']
    })
    for (const cookie of Object.values(cookies)) await eventuallyAnswers(server.port, cookie, 401)
    for (const name of Object.keys(cookies)) await assert.rejects(signIn(server.port, name), /401/)
    const from = server.output().length
    writeFileSync(server.usersFile, users)
    await server.until(/the users file changed and is taken up/, from)
    for (const [name, cookie] of Object.entries(cookies)) {
      assert.equal((await verdict(server.port, cookie)).status, 401, name)
      assert.equal((await verdict(server.port, await signIn(server.port, name))).status, 200)
    }
  })
  test('a file with a fault changes nobody: the log says where, and the last good one serves', async () => {
    const cookie = await signIn(server.port, 'john')
    for (const [text, place] of [
      [users.replace('"admins"', '"ad,mins"'), /users\.yml:\d+:\d+ users\.john\.groups/],
      ['users: {', /users\.yml:\d+:\d+/],
      ['', /users\.yml: is empty/],
    ] as const) {
      const from = server.output().length
      writeFileSync(server.usersFile, text)
      await server.until(/users file was not taken up.*revision [0-9a-f]{12} /, from)
      assert.match(server.output().slice(from), place)
      assert.equal((await verdict(server.port, cookie)).status, 200)
      await signIn(server.port, 'bob')
    }
    writeFileSync(server.usersFile, users)
  })
  test('none of this printed a secret', async () => {
    assertDiscreet(server.output(), {
      dataDirectory: join(server.folder, 'data'),
      secrets: [PASSWORD, await signIn(server.port, 'john')],
    })
  })
})

test('SIGHUP reads the users file where it is not watched, and the log file anew without truncating it', async (t) => {
  const folder = emptyFolder(t)
  const logFile = join(folder, 'log', 'vestibule.log')
  mkdirSync(join(folder, 'log'))
  const server = await startServer(t, {
    folder,
    config: {
      authentication_backend: {
        file: { ...CHEAP.authentication_backend.file, watch: false },
      },
      log: { file_path: logFile, keep_stdout: true },
    },
    users: await usersYaml({ john: {}, bob: {} }),
  })
  const cookie = await signIn(server.port, 'bob')
  writeFileSync(server.usersFile, await usersYaml({ john: {} }))
  // As logrotate does it.
  const before = readFileSync(logFile, 'utf8')
  assert.match(before, /event=login.succeeded/)
  renameSync(logFile, `${logFile}.1`)
  await verdict(server.port, undefined)
  await eventually(
    () => readFileSync(`${logFile}.1`, 'utf8'),
    (text) => text.includes('needs a sign-in'),
  )
  assert.ok(!existsSync(logFile))
  server.signal('SIGHUP')
  await eventuallyAnswers(server.port, cookie, 401)
  await server.until(/the users are reloaded.* users=1/)

  const rotated = readFileSync(`${logFile}.1`, 'utf8')
  assert.ok(rotated.startsWith(before))
  await eventually(
    () => existsSync(logFile) && readFileSync(logFile, 'utf8'),
    (text) => String(text).includes('the users are reloaded'),
  )
  assert.equal(statSync(logFile).mode & 0o777, 0o600)
  // A second one, without anything moved: what is there stays there.
  const kept = readFileSync(logFile, 'utf8')
  server.signal('SIGHUP')
  await eventually(
    () => readFileSync(logFile, 'utf8'),
    (text) => text.length > kept.length,
  )
  assert.ok(readFileSync(logFile, 'utf8').startsWith(kept))
  assert.equal(readFileSync(`${logFile}.1`, 'utf8'), rotated)
})

test('a configuration whose log file cannot be opened is not taken up, and its rules are not either', async (t) => {
  const server = await startServer(t, { config: CHEAP, users: await usersYaml({ john: {} }) })
  const cookie = await signIn(server.port, 'john')
  const open = {
    access_control: { rules: [{ domain: '*.vestibule.localhost', policy: 'bypass' }] },
    log: { file_path: join(server.folder, 'nowhere', 'vestibule.log') },
  }
  const from = server.output().length
  writeFileSync(
    server.configFile,
    JSON.stringify(configFor(server.port, server.folder, { ...CHEAP, ...open })),
  )
  await server.until(
    /log\.file_path: cannot be opened \(ENOENT\)[\s\S]*not reloaded; revision [0-9a-f]{12} stays active/,
    from,
  )
  assert.doesNotMatch(server.output().slice(from), /is active/)
  assert.equal((await verdict(server.port, undefined)).status, 401)
  assert.equal((await verdict(server.port, cookie)).status, 200)
})

test('several files: a folder of them, one that is added, one behind a link that is turned, and a secret', async (t) => {
  const folder = emptyFolder(t)
  const port = await freePort()
  const parts = join(folder, 'conf.d')
  // As a Kubernetes config map lies there: the names are links into ..data, and ..data is a link that is turned.
  for (const version of ['..1', '..2', 'conf.d']) mkdirSync(join(folder, version))
  const policy = (name: string) => JSON.stringify({ access_control: { default_policy: name } })
  const { access_control: _, ...rest } = configFor(port, folder, CHEAP)
  writeFileSync(join(parts, '10-server.yml'), JSON.stringify(rest))
  writeFileSync(join(folder, '..1', '20-rules.yml'), policy('one_factor'))
  writeFileSync(join(folder, '..2', '20-rules.yml'), policy('two_factor'))
  symlinkSync(join(folder, '..1'), join(parts, '..data'))
  symlinkSync('..data/20-rules.yml', join(parts, '20-rules.yml'))
  writeFileSync(join(folder, 'secret'), 's'.repeat(64))
  mkdirSync(join(folder, 'data'), { mode: 0o700 })
  writeFileSync(join(folder, 'data', 'users.yml'), await usersYaml({ john: {} }))

  const env = { VESTIBULE_SESSION_SECRET_FILE: join(folder, 'secret') }
  const server = run(['serve', '--config', parts], { folder, port, env })
  t.after(() => server.stop())
  await server.until(/listening on/)
  const cookie = await signIn(port, 'john')
  assert.equal((await verdict(port, cookie)).status, 200)

  const took: number[] = []
  for (const [version, status] of [
    ['..2', 401],
    ['..1', 200],
    ['..2', 401],
    ['..1', 200],
    ['..2', 401],
  ] as const) {
    symlinkSync(join(folder, version), join(parts, '..data_tmp'))
    const renamed = performance.now()
    renameSync(join(parts, '..data_tmp'), join(parts, '..data'))
    await eventuallyAnswers(port, cookie, status)
    took.push(performance.now() - renamed)
  }
  // With a look every five seconds alone, all but the first wait for nearly five.
  assert.ok(fastest(took.slice(1)) < 4_000, `it was looked for: ${took}`)

  const last = JSON.stringify({
    access_control: { rules: [{ domain: 'app.vestibule.localhost', policy: 'bypass' }] },
  })
  writeFileSync(join(parts, '30-more.yml'), last)
  await eventuallyAnswers(port, undefined, 200)

  // Behind the link nothing tells of a change: it is looked for.
  writeFileSync(join(folder, '..2', '20-rules.yml'), policy('deny'))
  await eventuallyAnswers(port, undefined, 403, 'other')

  const from = server.output().length
  writeFileSync(join(folder, 'secret'), 't'.repeat(64))
  await server.until(/needs a restart: session\.secret/, from)
  assert.equal((await verdict(port, cookie)).status, 200)
  assertDiscreet(server.output(), {
    dataDirectory: join(folder, 'data'),
    secrets: [PASSWORD, cookie, 's'.repeat(64), 't'.repeat(64)],
  })
})

function emptyFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-reload-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
