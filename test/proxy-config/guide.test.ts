import assert from 'node:assert/strict'
import { existsSync, readFileSync } from 'node:fs'
import { test } from 'node:test'
import { proxies } from '../../src/features/proxy-config/index.ts'
import { proofTable, proxiesUnderTest } from '../support/proxies.ts'

const guide = readFileSync('docs/guides/proxies.md', 'utf8')

test('the guide’s table says what the suites prove, and why a proxy can’t (node .ci/proxies.ts)', () => {
  const [, table] = /<!-- proofs -->\n([\s\S]*)\n<!-- \/proofs -->/.exec(guide) ?? []
  assert.equal(table, proofTable())
})
test('every proxy that has a snippet has its suite, its place in the guide and its files in deploy/', () => {
  assert.deepEqual(Object.keys(proxiesUnderTest), Object.keys(proxies))
  for (const name of Object.keys(proxies)) {
    assert.ok(existsSync(`test/system/${name}.system.test.ts`), name)
    assert.ok(existsSync(`deploy/${name}`), name)
    assert.ok(existsSync(`deploy/example.com/${name}`), name)
    assert.ok(guide.includes(`vestibule proxy-config ${name}`), name)
  }
})
