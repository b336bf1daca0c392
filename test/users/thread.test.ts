import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createFileWork } from '../../src/features/users/backends/file/thread.ts'
import { folderWith } from '../support/program.ts'
import { usersYaml } from '../support/users.ts'

test('a thread that ends while a large file is read ends the reading, and not the process', async (t) => {
  const folder = folderWith(t, {})
  const path = join(folder, 'users.yml')
  writeFileSync(
    path,
    await usersYaml(Object.fromEntries(Array.from({ length: 1000 }, (_, i) => [`u${i}`, {}]))),
  )
  const options = {
    source: path,
    separator: ',',
    search: { email: false, caseInsensitive: false },
    extraAttributes: {},
  }
  const work = createFileWork(path, options)
  let closed: Promise<void> | undefined
  const reading = work.load('', () => {
    if (closed !== undefined) return
    closed = work.close()
    // The thread is gone before its next message is waited for.
    const end = performance.now() + 300
    while (performance.now() < end);
  })
  await assert.rejects(reading, /the thread that reads the users file ended/)
  await closed
})
