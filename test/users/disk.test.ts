import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { readFileText } from '../../src/features/users/backends/file/disk.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { approved } from '../support/approved.ts'
import { DIGEST, makeStore, openStore } from './store.ts'

const TEXT = `users:\n  john:\n    displayname: J\n    password: "${DIGEST}"\n`

test('a symbolic link stays, and its target is replaced', async (t) => {
  const store = makeStore(t, undefined)
  mkdirSync(join(store.directory, 'real'))
  const target = join(store.directory, 'real', 'people.yml')
  writeFileSync(target, TEXT)
  symlinkSync('real/people.yml', store.path)
  const { users } = await openStore(t, store)
  await users.setPassword('john', approved('new'))
  assert.equal(readlinkSync(store.path), 'real/people.yml')
  assert.notEqual(readFileSync(target, 'utf8'), TEXT)
  assert.deepEqual(store.names(), ['real', 'users.yml'])
})

test('a link to a file that is not there yet makes the file where it points', async (t) => {
  const store = makeStore(t, undefined)
  mkdirSync(join(store.directory, 'real'))
  symlinkSync('real/people.yml', store.path)
  const { users } = await openStore(t, store)
  await users.add('admin', { displayName: 'A', groups: [], password: approved('x') })
  assert.equal(readlinkSync(store.path), 'real/people.yml')
  assert.match(store.read(), /admin:/)
})

test('what is no users file is refused with its reason', async (t) => {
  const store = makeStore(t, undefined)
  const problem = async () => {
    const file = await readFileText(store.path)
    return file.kind === 'refused' ? file.problem : file.kind
  }
  assert.equal(await problem(), 'missing')
  writeFileSync(store.path, Buffer.alloc(64 * 1024 * 1024 + 1, '#'))
  assert.equal(await problem(), 'is larger than 64 MiB')
  writeFileSync(store.path, Buffer.from('users: \xff', 'latin1'))
  assert.equal(await problem(), 'is not UTF-8 text')
  writeFileSync(store.path, Buffer.from('\ufeffusers:', 'utf16le'))
  assert.equal(await problem(), 'is not UTF-8 text')
  const folder = makeStore(t, undefined)
  mkdirSync(folder.path)
  const file = await readFileText(folder.path)
  assert.ok(file.kind === 'refused' && /no regular file/.test(file.problem))
})

test('a file that cannot be replaced is said so, and everything stays', async (t) => {
  // No room for the draft's longer name: root is refused too, as it is not by a mode.
  const { directory } = makeStore(t, undefined)
  const path = join(directory, `${'x'.repeat(246)}.yml`)
  writeFileSync(path, TEXT)
  const { users, text } = await openStore(t, { path })
  await assert.rejects(
    users.setPassword('john', approved('new')),
    (error) => error instanceof AppError && error.code === 'USERS_UNWRITABLE',
  )
  assert.match(text(), /cannot be written \(ENAMETOOLONG\)/)
  assert.equal((await users.authenticate('john', 'password', '192.0.2.1')).kind, 'accepted')
  assert.equal(readFileSync(path, 'utf8'), TEXT)
})
