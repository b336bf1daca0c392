import assert from 'node:assert/strict'
import {
  chmodSync,
  chownSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createPrivateFile, removeDrafts, replaceFile } from '../../src/files/atomic-write.ts'
import { stampOf } from '../../src/files/stamp.ts'
import { mode, temporaryDirectory } from './directory.ts'

/** What lies in the directory, but for the lock that a replaced file leaves beside it. */
const namesIn = (directory: string): string[] =>
  readdirSync(directory)
    .filter((name) => !name.endsWith('.lock'))
    .sort()

test('a private file is whole, 0600, and never replaces one that is there', (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'file')
  assert.equal(createPrivateFile(path, 'one'), 'created')
  assert.equal(createPrivateFile(path, 'two'), 'exists')
  assert.equal(readFileSync(path, 'utf8'), 'one')
  assert.equal(mode(path), 0o600)
  symlinkSync(join(directory, 'elsewhere'), join(directory, 'link'))
  assert.equal(createPrivateFile(join(directory, 'link'), 'two'), 'exists')
  assert.deepEqual(readdirSync(directory).sort(), ['file', 'link'])
})

test('a new file is for its owner only, an old one keeps its mode and, for root, its owner', async (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'file')
  assert.equal(await replaceFile(path, 'one', undefined), 'replaced')
  assert.equal(mode(path), 0o600)
  for (const kept of [0o640, 0o644, 0o660]) {
    chmodSync(path, kept)
    assert.equal(await replaceFile(path, 'two', await stampOf(path)), 'replaced')
    assert.equal(mode(path), kept)
  }
  assert.equal(readFileSync(path, 'utf8'), 'two')
  assert.deepEqual(namesIn(directory), ['file'])
  if (process.getuid?.() !== 0) return
  chownSync(path, 1234, 4321)
  await replaceFile(path, 'three', await stampOf(path))
  const { uid, gid } = statSync(path)
  assert.deepEqual([uid, gid, mode(path)], [1234, 4321, 0o660])
})

test('a link stays, and what it leads to is replaced, or made where there is nothing yet', async (t) => {
  const directory = temporaryDirectory(t)
  const link = join(directory, 'link')
  symlinkSync('target', link)
  assert.equal(await replaceFile(link, 'one', undefined), 'replaced')
  assert.equal(await replaceFile(link, 'two', await stampOf(link)), 'replaced')
  assert.equal(readlinkSync(link), 'target')
  assert.equal(readFileSync(join(directory, 'target'), 'utf8'), 'two')
  assert.deepEqual(namesIn(directory), ['link', 'target'])
})

test('a file that another process replaced meanwhile is not overwritten', async (t) => {
  const directory = temporaryDirectory(t)
  const path = join(directory, 'file')
  writeFileSync(path, 'one')
  const stamp = await stampOf(path)
  writeFileSync(path, 'theirs')
  assert.equal(await replaceFile(path, 'ours', stamp), 'changed')
  assert.equal(await replaceFile(path, 'ours', undefined), 'changed')
  assert.equal(readFileSync(path, 'utf8'), 'theirs')
  assert.deepEqual(namesIn(directory), ['file'], 'no draft stays')
})

test('drafts that a kill left are removed, other files are not', async (t) => {
  const directory = temporaryDirectory(t)
  const other = ['.file.draft-', '.file.draft-notes', 'file', 'file.draft-0123456789ab', 'x']
  for (const name of ['.file.draft-0123456789ab', ...other])
    writeFileSync(join(directory, name), '')
  await removeDrafts(join(directory, 'file'))
  assert.deepEqual(namesIn(directory), other)
})
