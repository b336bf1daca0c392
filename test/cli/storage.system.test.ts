/** `vestibule storage encryption` and `storage migrate`, beside real servers. */
import assert from 'node:assert/strict'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { runCli } from '../support/cli.ts'
import { missingPostgres, startPostgres } from '../support/postgres.ts'
import { configFor, run, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-storage-cli-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
const OTHER = 'another key of more than twenty-two characters'

test('a key change is refused beside the server, done without it, and found by the next start', async (t) => {
  const folder = folderOf(t)
  const users = await usersYaml({ john: {} })
  const first = await startServer(t, { config: CHEAP, users, folder, keep: true })
  const ask = (...argv: string[]) =>
    runCli(t, ['storage', ...argv, '--config', first.configFile], { cwd: folder })
  const keyFile = join(folder, 'data', 'secrets', 'encryption')
  const key = readFileSync(keyFile, 'utf8')

  const checked = await ask('encryption', 'check')
  assert.equal(checked.err, '')
  assert.match(checked.out, /^storage_encryption +value +1 +0$/m)
  const refused = await ask('encryption', 'change-key')
  assert.match(refused.err, /^vestibule: another server is running on the data directory /)
  assert.equal(refused.status, 1)
  assert.equal(readFileSync(keyFile, 'utf8'), key)
  await first.stop()

  const changed = await ask('encryption', 'change-key')
  assert.equal(changed.err, '')
  assert.match(
    changed.out,
    /^The key is changed: 1 sealed values\. It is in \S+secrets\/encryption\.\n$/,
  )
  assert.notEqual(readFileSync(keyFile, 'utf8'), key)
  assert.equal((await ask('encryption', 'check')).status, 0)
  const wrong = await ask('encryption', 'check', '--encryption-key', key.trim())
  assert.equal(wrong.status, 1)
  assert.match(wrong.err, /^storage_encryption\.value of "check"$/m)

  writeFileSync(join(folder, 'new'), `${OTHER}\n`)
  const given = await ask('encryption', 'change-key', '--new-encryption-key-file', 'new')
  assert.equal(given.status, 0, given.err)
  assert.equal(readFileSync(keyFile, 'utf8'), `${OTHER}\n`)
  assert.match(
    (await ask('encryption', 'change-key', '--new-encryption-key', OTHER)).out,
    /nothing was changed/,
  )
  const server = await startServer(t, { config: CHEAP, folder, keep: true })
  assert.doesNotMatch(server.output() + given.out, /another key of more/)
})

test('a start with another key than the database’s ends with what to do', async (t) => {
  const folder = folderOf(t)
  const users = await usersYaml({ john: {} })
  const first = await startServer(t, { config: CHEAP, users, folder, keep: true })
  await first.stop()
  const config = { ...CHEAP, storage: { encryption_key: OTHER } }
  writeFileSync(first.configFile, JSON.stringify(configFor(first.port, folder, config)))
  const refused = run(['serve', '--config', first.configFile], { folder })
  assert.equal(await refused.ended, 1)
  assert.match(
    refused.output(),
    /storage\.encryption_key is not the key that the database was sealed with/,
  )
  assert.match(refused.output(), /vestibule storage encryption change-key/)
  assert.doesNotMatch(refused.output(), /another key of more/)
  const lost = await runCli(t, ['storage', 'encryption', 'reset', '--config', first.configFile], {
    cwd: folder,
  })
  assert.match(lost.err, /required option '--discard'/)
  const moved = await runCli(
    t,
    ['storage', 'encryption', 'change-key', '--config', first.configFile],
    { cwd: folder },
  )
  assert.match(moved.out, /It is the one in storage\.encryption_key/)
  writeFileSync(first.configFile, JSON.stringify(configFor(first.port, folder, CHEAP)))
  rmSync(join(folder, 'data', 'secrets', 'encryption'))
  const reset = await runCli(
    t,
    ['storage', 'encryption', 'reset', '--discard', '--config', first.configFile],
    { cwd: folder },
  )
  assert.match(reset.out, /^0 sealed rows were removed/, reset.err)
  await startServer(t, { config: CHEAP, folder, keep: true })
})

test('without a database there is nothing to look at, and nothing is made', async (t) => {
  const folder = folderOf(t)
  const config = join(folder, 'config.yml')
  writeFileSync(config, JSON.stringify(configFor(9, folder)))
  for (const argv of [
    ['encryption', 'check'],
    ['encryption', 'change-key'],
  ]) {
    const { err, status } = await runCli(t, ['storage', ...argv, '--config', config])
    assert.match(err, /^vestibule: there is no database \S+ yet/)
    assert.equal(status, 1)
  }
  const { out } = await runCli(t, ['storage', 'migrate', 'list', '--config', config])
  assert.match(out, /^sqlite +0001_sessions +no$/m)
  assert.ok(!existsSync(join(folder, 'data')))
})

test('migrations are listed, applied without a server, and left alone by other commands', async (t) => {
  const folder = folderOf(t)
  const config = join(folder, 'config.yml')
  writeFileSync(config, JSON.stringify(configFor(9, folder)))
  const ask = (...argv: string[]) => runCli(t, ['storage', ...argv, '--config', config])
  const up = await ask('migrate', 'up')
  assert.equal(up.err, '')
  assert.match(up.out, /^applied {2}sqlite {2}0001_sessions$/m)
  assert.equal((await ask('migrate', 'up')).out, 'The database is up to date.\n')
  const list = await ask('migrate', 'list')
  assert.match(list.out, /^sqlite +0011_storage_encryption +\d{4}-\d\d-\d\d /m)
  assert.doesNotMatch(list.out, / no$/m)
  assert.match((await ask('encryption', 'check')).err, /has no encryption key yet/)

  const sqlite = new DatabaseSync(join(folder, 'data', 'vestibule.sqlite3'))
  sqlite.exec('drop table storage_encryption')
  sqlite.exec("delete from vestibule_migrations where name = '0011_storage_encryption'")
  sqlite.exec("insert into vestibule_migrations values ('9999_later', 0)")
  assert.match((await ask('migrate', 'list')).out, /^sqlite +9999_later .*\(by a newer version\)$/m)
  sqlite.exec("delete from vestibule_migrations where name = '9999_later'")
  sqlite.close()
  for (const command of ['check', 'change-key'])
    assert.match(
      (await ask('encryption', command)).err,
      /older than this version: the migration 0011_storage_encryption is missing/,
    )
  assert.match((await ask('migrate', 'list')).out, /^sqlite +0011_storage_encryption +no$/m)
  assert.match((await ask('migrate', 'up')).out, /^applied {2}sqlite {2}0011_storage_encryption$/m)
})

test('servers of one PostgreSQL: a second key is refused, and a change is seen by who runs', {
  skip: missingPostgres,
}, async (t) => {
  const section = await (await startPostgres(t)).section()
  const users = await usersYaml({ john: {} })
  const storage = { postgres: section, encryption_key: `shared ${OTHER}` }
  const server = await startServer(t, { config: { ...CHEAP, storage }, users })
  const folder = folderOf(t)
  const config = join(folder, 'config.yml')
  const write = (storage: unknown) =>
    writeFileSync(config, JSON.stringify(configFor(9, folder, { ...CHEAP, storage })))
  const ask = (...argv: string[]) => runCli(t, ['storage', ...argv, '--config', config])
  write({ postgres: section })
  const second = run(['serve', '--config', config], { folder })
  assert.equal(await second.ended, 1)
  assert.match(second.output(), /PostgreSQL database was sealed with a key that is not here/)
  assert.match(second.output(), /set storage\.encryption_key, on every server/)

  write(storage)
  assert.match((await ask('migrate', 'list')).out, /^postgres +0011_storage_encryption +\d{4}-/m)
  const change = ['encryption', 'change-key', '--new-encryption-key', OTHER]
  const ready = () => server.request('/api/health/ready')
  assert.equal((await ready()).status, 200)
  assert.match((await ask(...change)).err, /another program of Vestibule is connected/)
  const forced = await ask(...change, '--force')
  assert.equal(forced.status, 0, forced.err)
  assert.match(forced.out, /Set storage\.encryption_key to the new key/)
  assert.equal((await ready()).status, 503)
  await server.until(/the encryption key of the database was changed while this server runs/)
})
