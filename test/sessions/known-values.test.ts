import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createKnownValues } from '../../src/features/sessions/known-values.ts'

test('values in use stay, others go, and no more than the limit are kept', () => {
  const known = createKnownValues(10)
  known.keep('used', 'key of used')
  for (let i = 0; i < 100; i++) {
    known.keep(`value ${i}`, `key ${i}`)
    assert.equal(known.keyOf('used'), 'key of used')
  }
  const left = Array.from({ length: 100 }, (_, i) => known.keyOf(`value ${i}`)).filter(
    (key) => key !== undefined,
  )
  assert.ok(left.length < 10, `${left.length}`)
  assert.equal(known.keyOf('value 0'), undefined)
})

test('what is forgotten is forgotten in both generations', () => {
  const known = createKnownValues(4)
  known.keep('a', '1')
  known.keep('b', '2')
  known.keep('c', '3')
  for (const value of ['a', 'b', 'c']) known.forget(value)
  for (const value of ['a', 'b', 'c']) assert.equal(known.keyOf(value), undefined)
})
