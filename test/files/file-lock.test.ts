import assert from 'node:assert/strict'
import { statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { fsyncDirectory, fsyncDirectorySync } from '../../src/files/directory-sync.ts'
import { lockFile, waitForLock } from '../../src/files/file-lock.ts'
import { temporaryDirectory } from './directory.ts'

test('a lock is held by one at a time, and waited for until it is released', async (t) => {
  const path = join(temporaryDirectory(t), 'lock')
  const first = lockFile(path)
  assert.ok(first)
  assert.equal(lockFile(path), undefined)
  let held = false
  const waiting = waitForLock(path).then((lock) => {
    held = true
    return lock
  })
  await new Promise(setImmediate)
  assert.equal(held, false)
  first.release()
  const second = await waiting
  assert.equal(lockFile(path), undefined)
  second.release()
})

test('a lock file gets the mode of the file that it protects, or 0600', (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'file')
  writeFileSync(path, '', { mode: 0o640 })
  lockFile(join(directory, 'a'), path)?.release()
  lockFile(join(directory, 'b'), join(directory, 'missing'))?.release()
  assert.equal(statSync(join(directory, 'a')).mode & 0o777, 0o640)
  assert.equal(statSync(join(directory, 'b')).mode & 0o777, 0o600)
})

test('a directory is synced, and a failure that is no lack of support is thrown', async (t) => {
  const directory = temporaryDirectory(t)
  await fsyncDirectory(directory)
  fsyncDirectorySync(directory)
  const missing = join(directory, 'missing')
  await assert.rejects(fsyncDirectory(missing), { code: 'ENOENT' })
  assert.throws(() => fsyncDirectorySync(missing), { code: 'ENOENT' })
})
