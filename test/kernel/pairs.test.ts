import assert from 'node:assert/strict'
import { test } from 'node:test'
import { firstPairs, readPairs } from '../../src/kernel/pairs.ts'

const plain = (text: string) => ({ ...readPairs(text) })

test('a query or a form is read as browsers write it', () => {
  assert.deepEqual(plain(''), {})
  assert.deepEqual(plain('rd=https%3A%2F%2Fa.test%2F%3Fx%3D1%262&rm=GET&failed='), {
    rd: 'https://a.test/?x=1&2',
    rm: 'GET',
    failed: '',
  })
  assert.deepEqual(plain('a=b+c&flag&%c3%a4=%zz'), { a: 'b c', flag: '', ä: '%zz' })
})

test('a name that came more than once has all its values, and none is inherited', () => {
  assert.deepEqual(plain('a=1&a=2&a=3&b=4'), { a: ['1', '2', '3'], b: '4' })
  const pairs = readPairs('__proto__=1&constructor=2')
  assert.deepEqual(Object.keys(pairs), ['__proto__', 'constructor'])
  assert.equal(pairs['toString'], undefined)
})

test('fifty pairs are read, and what stands behind them is not', () => {
  const text = Array.from({ length: 9000 }, (_, i) => `n${i}=${i}`).join('&')
  assert.equal(Object.keys(readPairs(text)).length, 50)
  assert.equal(firstPairs(text).split('&').length, 50)
  assert.equal(firstPairs('a=1&b=2'), 'a=1&b=2')
})
