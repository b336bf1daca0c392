import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { countWeak, usersText, weaken } from './kill-house.ts'

test('a weak digest of the kill drill is another one each time: what it expects to end has to have changed', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-drill-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const file = join(folder, 'users.yml')
  writeFileSync(file, usersText(['v0', 'v1', 'c0']))
  const digests = new Set<string>()
  for (let round = 0; round < 3; round++) {
    await weaken(file, ['v0', 'v1'])
    assert.equal(countWeak(file), 2)
    for (const [, digest = ''] of readFileSync(file, 'utf8').matchAll(/password: '(.*m=8,.*)'/g))
      digests.add(digest)
  }
  assert.equal(digests.size, 6)
})
