/** `vestibule import authelia`: a deployment is taken over, and its users sign in as before. */
import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { codeOf } from '../second-factor/totp-code.ts'
import { createSoftKey } from '../support/authenticator.ts'
import { runCli, temporaryDirectory } from '../support/cli.ts'
import { freePort } from '../support/nginx.ts'
import { PASSWORD, type RunningServer, run } from '../support/server.ts'
import { IDENTIFIER, KEY, makeDatabase, makeDeployment, SECRET, USER_ID } from './authelia-scene.ts'

const RP_ID = 'auth.vestibule.localhost'

function softKey() {
  const soft = createSoftKey()
  const id = Buffer.from(soft.id, 'base64url')
  return { soft, key: { id, publicKey: soft.publicKey, rpId: RP_ID } }
}

/** A browser that keeps its session cookie. */
function signInAt(server: Pick<RunningServer, 'request'>, port: number) {
  let cookie = ''
  const origin = `http://${RP_ID}:${port}`
  return async (method: string, path: string, body?: unknown) => {
    const answer = await server.request(path, {
      method,
      headers: {
        host: `${RP_ID}:${port}`,
        origin,
        accept: 'application/json',
        'content-type': 'application/json',
        ...(cookie !== '' && { cookie }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    })
    for (const one of answer.headers['set-cookie'] ?? [])
      if (one.startsWith('authelia_session=') || one.startsWith('vestibule_session='))
        cookie = one.split(';', 1)[0] ?? ''
    return { status: answer.status, json: JSON.parse(answer.body || '{}') }
  }
}

for (const schema of [24, 26])
  test(`people of a deployment with schema ${schema} sign in with the same passwords, codes and keys`, async (t) => {
    const folder = temporaryDirectory(t)
    const port = await freePort()
    const { soft, key } = softKey()
    await makeDeployment(folder, { port, schema, key })
    const before = readFileSync(join(folder, 'db.sqlite3'))
    const ask = (...argv: string[]) =>
      runCli(t, ['import', 'authelia', 'configuration.yml', ...argv], { cwd: folder })

    const tried = await ask()
    assert.equal(tried.status, 0, tried.err)
    assert.match(
      tried.out,
      /^From Authelia: the configuration, 2 users, 1 user with one-time codes, 1 security key, 1 opaque identifier, 1 preferred method, 2 bans\.$/m,
    )
    assert.match(
      tried.out,
      /^ {2}db\.sqlite3: the one-time codes of mary: the secret does not open$/m,
    )
    assert.match(tried.out, /^ {2}db\.sqlite3: 1 devices of Duo$/m)
    assert.match(tried.out, /mobile_push is not offered here/)
    assert.match(
      tried.out,
      /^ {2}configuration\.yml:\d+:\d+ authentication_backend\.refresh_interval: /m,
    )
    assert.match(tried.out, /Nothing was written: --apply writes it to \S+vestibule\.$/m)
    assert.deepEqual(readdirSync(folder).sort(), [
      'configuration.yml',
      'db.sqlite3',
      'users_database.yml',
    ])

    const done = await ask('--apply')
    assert.equal(done.status, 0, done.err)
    assert.doesNotMatch(done.out, new RegExp(`${KEY}|${SECRET}`))
    const own = join(folder, 'vestibule')
    const config = readFileSync(join(own, 'config.yml'), 'utf8')
    assert.match(config, /^# The friends' server\.$/m)
    assert.match(config, /# most have an app/)
    assert.doesNotMatch(config, /\/config\//)
    for (const name of ['config.yml', 'data/users.yml', 'data/vestibule.sqlite3'])
      assert.equal(statSync(join(own, name)).mode & 0o777, 0o600, name)
    assert.equal(
      readFileSync(join(own, 'data/users.yml'), 'utf8'),
      readFileSync(join(folder, 'users_database.yml'), 'utf8'),
    )
    assert.deepEqual(readFileSync(join(folder, 'db.sqlite3')), before)
    const again = await ask('--apply')
    assert.equal(again.status, 1)
    assert.match(again.err, /exists already and is not empty/)

    const server = run(['serve', '--config', join(own, 'config.yml')], { folder, port })
    t.after(() => server.stop())
    await server.until(/listening on/)
    const totp = signInAt(server, port)
    const wrong = await totp('POST', '/api/firstfactor', { username: 'john', password: 'no' })
    assert.equal(wrong.status, 401)
    const first = await totp('POST', '/api/firstfactor', { username: 'john', password: PASSWORD })
    assert.equal(first.status, 200, JSON.stringify(first.json))
    const token = codeOf(`otpauth://totp/x?secret=${SECRET}`, Date.now())
    const second = await totp('POST', '/api/secondfactor/totp', { token })
    assert.equal(second.status, 200, JSON.stringify(second.json))
    assert.equal((await totp('GET', '/api/state')).json.data.authentication_level, 2)

    const usb = signInAt(server, port)
    await usb('POST', '/api/firstfactor', { username: 'john', password: PASSWORD })
    const asked = await usb('GET', '/api/secondfactor/webauthn')
    assert.equal(asked.status, 200, JSON.stringify(asked.json))
    const { publicKey } = asked.json.data
    assert.equal(publicKey.allowCredentials[0].id, soft.id)
    const response = soft.get({
      challenge: publicKey.challenge,
      origin: `http://${RP_ID}:${port}`,
      rpId: RP_ID,
      signCount: 2,
      userHandle: Buffer.from(USER_ID).toString('base64url'),
    })
    const shown = await usb('POST', '/api/secondfactor/webauthn', { response })
    assert.equal(shown.status, 200, JSON.stringify(shown.json))
    await server.stop()

    const database = new DatabaseSync(join(own, 'data/vestibule.sqlite3'), { readOnly: true })
    const rows = (sql: string) => database.prepare(sql).all()
    assert.equal(rows('select identifier from opaque_identifiers')[0]?.['identifier'], IDENTIFIER)
    assert.equal(rows('select method from second_factor_preferences')[0]?.['method'], 'webauthn')
    assert.deepEqual(
      rows('select subject, expires_at is null as forever from bans order by kind').map((row) => ({
        ...row,
      })),
      [
        { subject: '192.0.2.7', forever: 0 },
        { subject: 'mallory', forever: 1 },
      ],
    )
    database.close()
  })

test('everything that is wrong is said at once, and nothing is written', async (t) => {
  const folder = temporaryDirectory(t)
  await makeDeployment(folder, { port: 9, schema: 26 })
  const ask = (...argv: string[]) =>
    runCli(t, ['import', 'authelia', 'configuration.yml', '--apply', ...argv], { cwd: folder })
  writeFileSync(
    join(folder, 'users_database.yml'),
    'users:\n  john:\n    displayname: John\n    password: plain\n  mary:\n    password: also\n',
  )
  writeFileSync(join(folder, 'key'), 'some other key of many characters\n')
  const found = await ask('--encryption-key-file', 'key')
  assert.equal(found.status, 1)
  assert.match(found.err, /users_database\.yml:4:\d+ users\.john\.password: /)
  assert.match(found.err, /users_database\.yml:5:\d+ users\.mary\.displayname: /)
  assert.match(found.err, /storage\.encryption_key is not the key of \S+db\.sqlite3/)
  assert.match(found.err, /^Nothing was imported\.$/m)
  assert.ok(!existsSync(join(folder, 'vestibule')))

  const missing = await ask('--database', 'nowhere.sqlite3')
  assert.match(missing.err, /nowhere\.sqlite3 cannot be read \(ENOENT\)/)
  writeFileSync(join(folder, 'text.sqlite3'), 'no database at all, but of some length '.repeat(40))
  assert.match((await ask('--database', 'text.sqlite3')).err, /cannot be read as a SQLite database/)
  makeDatabase(join(folder, 'new.sqlite3'), 99).close()
  assert.match((await ask('--database', 'new.sqlite3')).err, /has the schema 99 of Authelia/)
})

test('a directory that is there is kept under another name with --force', async (t) => {
  const folder = temporaryDirectory(t)
  await makeDeployment(folder, { port: 9, schema: 25 })
  const ask = (...argv: string[]) =>
    runCli(t, ['import', 'authelia', 'configuration.yml', '--apply', ...argv], { cwd: folder })
  assert.equal((await ask()).status, 0)
  const second = await ask('--force')
  assert.equal(second.status, 0, second.err)
  const [, former = ''] = /^What was there is in (\S+)\.$/m.exec(second.out) ?? []
  assert.ok(existsSync(join(former, 'config.yml')))
  assert.deepEqual(
    readdirSync(folder).filter((name) => name.includes('draft')),
    [],
  )
})
