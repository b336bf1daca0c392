import assert from 'node:assert/strict'
import {
  existsSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { createPrivateFile } from '../../src/files/atomic-write.ts'
import { openDataDirectory } from '../../src/files/data-directory.ts'
import { lockFile } from '../../src/files/file-lock.ts'
import { OperatorError } from '../../src/kernel/operator-error.ts'
import { openFileSink } from '../../src/log/sinks.ts'
import { openStorage } from '../../src/storage/index.ts'
import { approved } from '../support/approved.ts'
import { DIGEST, makeStore, openStore } from '../users/store.ts'

/** A folder, and a place elsewhere in which nothing may be made. */
function folders(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-links-'))
  const elsewhere = mkdtempSync(join(tmpdir(), 'vestibule-elsewhere-'))
  t.after(() => {
    for (const path of [folder, elsewhere]) rmSync(path, { recursive: true, force: true })
  })
  return { folder, elsewhere, target: join(elsewhere, 'made') }
}

const storage = (path: string) => openStorage({ path, migrations: {}, log: { info() {} } })

test('nothing that we make is made through a link that somebody laid out', async (t) => {
  const { folder, elsewhere, target } = folders(t)
  const link = (name: string): string => {
    const path = join(folder, name)
    symlinkSync(target, path)
    return path
  }
  assert.throws(() => lockFile(link('lock'), folder), { code: 'ENOLCK' })
  assert.throws(() => openFileSink(link('log'), () => {}), OperatorError)
  await assert.rejects(storage(link('database')), OperatorError)
  assert.equal(createPrivateFile(link('private'), 'x'), 'exists')
  const data = join(folder, 'data')
  const { secret } = openDataDirectory(data)
  secret('first')
  symlinkSync(target, join(data, 'secrets', 'second'))
  assert.throws(() => secret('second'), OperatorError)
  symlinkSync(target, join(data, 'lock'))
  assert.throws(() => openDataDirectory(data).lock(), /lock is a symbolic link/)
  assert.deepEqual(readdirSync(elsewhere), [])
})

test('a link to a file that is there is no lock either, and its owner and mode stay', (t) => {
  const { folder, target } = folders(t)
  writeFileSync(target, 'theirs', { mode: 0o644 })
  const path = join(folder, 'lock')
  symlinkSync(target, path)
  assert.throws(() => lockFile(path, folder), { code: 'ENOLCK' })
  assert.equal(lstatSync(target).mode & 0o777, 0o644)
  assert.equal(readFileSync(target, 'utf8'), 'theirs')
})

test('a link beside the users file keeps it from being changed, and says so', async (t) => {
  const { elsewhere, target } = folders(t)
  const store = makeStore(t, `users:\n  john:\n    displayname: J\n    password: "${DIGEST}"\n`)
  symlinkSync(target, join(store.directory, '.users.yml.lock'))
  const before = store.read()
  const { users, text } = await openStore(t, store)
  await assert.rejects(users.setPassword('john', approved('new')), { code: 'USERS_UNWRITABLE' })
  assert.match(text(), /lock file beside it is a symbolic link/)
  assert.equal(store.read(), before)
  assert.deepEqual(readdirSync(elsewhere), [])
  assert.deepEqual(store.names(), ['users.yml'])
})

test('a log file and a database may be links to what is there', async (t) => {
  const { folder, elsewhere } = folders(t)
  const log = join(folder, 'log')
  writeFileSync(join(elsewhere, 'log'), '')
  symlinkSync(join(elsewhere, 'log'), log)
  const sink = openFileSink(log, () => {})
  assert.ok(sink.write('line\n'))
  sink.close()
  assert.equal(readFileSync(join(elsewhere, 'log'), 'utf8'), 'line\n')
  const database = join(folder, 'database')
  writeFileSync(join(elsewhere, 'database'), '', { mode: 0o644 })
  symlinkSync(join(elsewhere, 'database'), database)
  await (await storage(database)).close()
  assert.ok(existsSync(database))
  assert.equal(lstatSync(join(elsewhere, 'database')).mode & 0o777, 0o600)
})
