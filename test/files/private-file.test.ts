import assert from 'node:assert/strict'
import { closeSync, readdirSync, readFileSync, symlinkSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { openAppendFile, openNewFile } from '../../src/files/private-file.ts'
import { mode, temporaryDirectory } from './directory.ts'

test('a file for appending is made 0600, and then appended to', (t) => {
  const path = join(temporaryDirectory(t), 'file')
  for (const text of ['one', 'two']) {
    const descriptor = openAppendFile(path)
    writeSync(descriptor, text)
    closeSync(descriptor)
  }
  assert.equal(readFileSync(path, 'utf8'), 'onetwo')
  assert.equal(mode(path), 0o600)
  assert.equal(openNewFile(path), undefined)
})

test('a link that leads nowhere is not followed', (t) => {
  const directory = temporaryDirectory(t)
  const link = join(directory, 'link')
  symlinkSync(join(directory, 'elsewhere'), link)
  assert.equal(openNewFile(link), undefined)
  assert.throws(() => openAppendFile(link), { code: 'ELOOP' })
  assert.deepEqual(readdirSync(directory), ['link'])
})
