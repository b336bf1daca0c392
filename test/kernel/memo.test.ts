import assert from 'node:assert/strict'
import { test } from 'node:test'
import { memoize } from '../../src/kernel/memo.ts'
import { heldMemory } from '../support/memory.ts'

test('a text is computed once, and again when many others came in between', () => {
  const asked: string[] = []
  const length = memoize(
    (text) => {
      asked.push(text)
      return text.length
    },
    { limit: 4 },
  )
  for (const text of ['a', 'a', 'bé', 'ñ€', 'a']) assert.equal(length(text), text.length)
  for (let i = 0; i < 10; i++) length(`other ${i}`)
  assert.equal(length('a'), 1)
  assert.deepEqual(
    asked.filter((text) => !text.startsWith('other')),
    ['a', 'bé', 'ñ€', 'a'],
  )
})
test('null is an answer like others, and is remembered', () => {
  const asked: string[] = []
  const none = memoize(
    (text) => {
      asked.push(text)
      return null
    },
    { limit: 4 },
  )
  for (const text of ['a', 'b', 'c', 'a', 'a']) assert.equal(none(text), null)
  assert.deepEqual(asked, ['a', 'b', 'c'])
})

// V8 makes a slice a view: each host that was kept held the 16 KiB of the address it was cut from.
test('what is remembered of a short text is not the long one it was cut from', () => {
  const kept = memoize((text) => text.length)
  const before = heldMemory()
  const COUNT = 2000
  const LONG = 16 * 1024
  for (let i = 0; i < COUNT; i++) {
    const long = Buffer.from(`host-number-${i}.example.com/${'a'.repeat(LONG)}`).toString('latin1')
    kept(long.slice(0, long.indexOf('/')))
  }
  assert.ok(heldMemory() - before < (COUNT * LONG) / 4)
  assert.equal(kept('host-number-1.example.com'), 25)
})
