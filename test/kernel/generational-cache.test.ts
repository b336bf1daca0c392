import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { GenerationalCache } from '../../src/kernel/generational-cache.ts'
import { heldMemory } from '../support/memory.ts'

const filled = (limit: number, keys: readonly string[]): GenerationalCache<string> => {
  const cache = new GenerationalCache<string>(limit)
  for (const key of keys) cache.set(key, `value of ${key}`)
  return cache
}

/** How many of these keys are in it. */
const count = (cache: GenerationalCache<string>, keys: readonly string[]): number =>
  keys.filter((key) => cache.peek(key) !== undefined).length

test('it never holds more than its limit', () => {
  const keys = Array.from({ length: 100 }, (_, i) => `key ${i}`)
  const cache = filled(10, keys)
  assert.ok(count(cache, keys) <= 10)
  assert.ok(count(cache, keys) >= 5)
  assert.equal(cache.get('key 99'), 'value of key 99')
})

test('what is used stays while other keys come and go', () => {
  const cache = filled(10, ['used', 'unused'])
  for (let i = 0; i < 100; i++) {
    cache.set(`other ${i}`, '')
    assert.equal(cache.get('used'), 'value of used')
  }
  assert.equal(cache.get('unused'), undefined)
})

test('a peek is no use', () => {
  const cache = filled(10, ['peeked'])
  for (let i = 0; i < 100; i++) {
    cache.set(`other ${i}`, '')
    cache.peek('peeked')
  }
  assert.equal(cache.peek('peeked'), undefined)
})

test('a deleted value is gone from both generations', () => {
  const ways: ((cache: GenerationalCache<string>) => void)[] = [
    (cache) => cache.delete('a'),
    (cache) => cache.deleteWhere((value) => value === 'value of a'),
    (cache) => cache.clear(),
  ]
  for (const remove of ways) {
    // Set in the old generation, then again in the young one.
    const cache = filled(4, ['a', 'b', 'c', 'a'])
    remove(cache)
    assert.equal(cache.peek('a'), undefined)
    assert.equal(cache.get('a'), undefined)
  }
  const cache = filled(4, ['a', 'b', 'c'])
  cache.deleteWhere((value) => value === 'value of a')
  assert.equal(cache.get('b'), 'value of b')
  assert.equal(cache.get('c'), 'value of c')
})

test('whatever is done to it, it answers with the latest value or with none', () => {
  const key = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f')
  const step = fc.oneof(
    fc.record({ kind: fc.constant('set' as const), key, value: fc.nat(9) }),
    fc.record({ kind: fc.constantFrom('get' as const, 'peek' as const, 'delete' as const), key }),
  )
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 8 }), fc.array(step), (limit, steps) => {
      const cache = new GenerationalCache<number>(limit)
      const latest = new Map<string, number>()
      for (const one of steps) {
        if (one.kind === 'set') {
          cache.set(one.key, one.value)
          latest.set(one.key, one.value)
          assert.equal(cache.get(one.key), one.value)
        } else if (one.kind === 'delete') {
          cache.delete(one.key)
          latest.delete(one.key)
          assert.equal(cache.get(one.key), undefined)
        } else {
          const found = cache[one.kind](one.key)
          if (found !== undefined) assert.equal(found, latest.get(one.key))
        }
      }
    }),
  )
})

// A key that moved to the young generation was the text that was looked up: a view of a request of up to 64 KiB.
test('it holds no text that a key was cut from, not even when it was looked up later', () => {
  const COUNT = 200
  const LONG = 60_000
  const cutFromRequest = (i: number): string =>
    Buffer.from(`${i}`.padStart(LONG, 'x')).toString('latin1').slice(-40)
  const cache = new GenerationalCache<string>(4 * COUNT)
  const before = heldMemory()
  for (let i = 0; i < COUNT; i++) cache.set(cutFromRequest(i), 'kept')
  for (let i = 0; i < 2 * COUNT; i++) cache.set(`other ${i}`, '')
  for (let i = 0; i < COUNT; i++) assert.equal(cache.get(cutFromRequest(i)), 'kept')
  assert.ok(heldMemory() - before < (COUNT * LONG) / 4)
  assert.equal(cache.get(cutFromRequest(0)), 'kept')
})
