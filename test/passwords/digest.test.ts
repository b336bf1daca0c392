import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { parseDigest } from '../../src/features/passwords/index.ts'
import digests from '../fixtures/password-digests.json' with { type: 'json' }

const SALT = 'BpLnfgDsc2WD8F2q'
const KEY = 'o/vzA4myCqZZ36bUGsDY//8mKUYNZZaR0t4MFFSs+iM'
const argon2 = (parameters: string, id = 'argon2id', version = 'v=19$') =>
  `$${id}$${version}${parameters}$${SALT}$${KEY}`

function refused(text: string): string {
  const parsed = parseDigest(text)
  assert.ok(!parsed.ok, `accepted ${text}`)
  return `${parsed.problem}; ${parsed.hint}`
}
function parametersOf(text: string): Readonly<Record<string, number>> {
  const parsed = parseDigest(text)
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.problem)
  return parsed.digest.parameters
}

test('every digest that others made is read, malformed ones are refused', () => {
  for (const { digest } of digests.verified) assert.ok(parseDigest(digest).ok, digest)
  for (const { digest } of digests.malformed) refused(digest)
})

test('schemes that come later are named and refused', () => {
  for (const { digest } of digests.later) assert.match(refused(digest), /not supported yet/, digest)
})

test('yescrypt, 2x, and passwords that are no digests are refused for good, with a hint', () => {
  for (const { digest } of digests.never) {
    const text = refused(digest)
    assert.doesNotMatch(text, /not supported yet/)
    assert.match(text, /password/)
  }
})

test('a password in place of a digest is refused without being repeated', () => {
  for (const text of [
    'hunter2',
    '',
    ' ',
    '$',
    '$$$',
    '$hunter2$',
    '{CRYPT}hunter2',
    'x'.repeat(5000),
  ])
    assert.doesNotMatch(refused(text), /hunter2/)
})

test('parameters come in any order; t left out is 1, p left out is 4', () => {
  const all = { memory: 65536, iterations: 3, parallelism: 2, saltLength: 12, keyLength: 32 }
  assert.deepEqual(parametersOf(argon2('m=65536,t=3,p=2')), all)
  assert.deepEqual(parametersOf(argon2('p=2,m=65536,t=3')), all)
  assert.deepEqual(parametersOf(`{CRYPT}${argon2('p=2,m=65536,t=3')}`), all)
  assert.deepEqual(parametersOf(argon2('m=65536')), { ...all, iterations: 1, parallelism: 4 })
})

test('what a digest may ask of the machine is bounded', () => {
  const faulty: readonly (readonly [string, RegExp])[] = [
    [argon2('m=4194305,t=1,p=1'), /memory m=4194305/],
    [argon2('m=99999999999999,t=1,p=1'), /memory/],
    [argon2('m=7,t=1,p=1'), /memory/],
    [argon2('m=31,t=1,p=4'), /eight times/],
    [argon2('m=64,t=0,p=1'), /iterations t=0/],
    [argon2('m=64,t=1001,p=1'), /iterations/],
    [argon2('m=65536,t=1,p=0'), /parallelism/],
    [argon2('m=65536,t=1,p=256'), /parallelism/],
    [argon2('t=1,p=1'), /memory/],
    [argon2('m=64,m=65,t=1,p=1'), /m twice/],
    [argon2('m=64,t=1,p=1,data=1'), /unknown parameter data/],
    [argon2('m=064,t=1,p=1'), /name=number/],
    [argon2('m=64,t=+1,p=1'), /name=number/],
    [argon2('m=64, t=1,p=1'), /name=number/],
    [argon2('m=64,t=1,p=1', 'argon2id', 'v=16$'), /v=19/],
    [argon2('m=64,t=1,p=1', 'argon2id', ''), /v=19/],
    [argon2('m=64,t=1,p=1', 'argon2id', 'v=019$'), /parts/],
    [`${argon2('m=64,t=1,p=1')}=`, /key that is not base64/],
    [`${argon2('m=64,t=1,p=1')}$`, /parts/],
    [`${argon2('m=64,t=1,p=1')}\n`, /key that is not base64/],
    [argon2('m=64,t=1,p=1').replace(SALT, 'c2FsdA'), /salt has 4 bytes/],
    [argon2('m=64,t=1,p=1').replace(SALT, ''), /salt has 0 bytes/],
    [argon2('m=64,t=1,p=1').replace(KEY, KEY.slice(0, 20)), /key has 15 bytes/],
  ]
  for (const [text, reason] of faulty) assert.match(refused(text), reason, text)
  assert.ok(parseDigest(argon2('m=4194304,t=1,p=1')).ok)
})

test('any parameters within the bounds are read as they are written', () => {
  const parameters = fc.record({
    p: fc.integer({ min: 1, max: 255 }),
    t: fc.integer({ min: 1, max: 1000 }),
    more: fc.integer({ min: 0, max: 4_000_000 }),
    order: fc.shuffledSubarray(['m', 't', 'p'], { minLength: 3 }),
  })
  fc.assert(
    fc.property(parameters, ({ p, t, more, order }) => {
      const values: Record<string, number> = { m: 8 * p + more, t, p }
      const text = argon2(order.map((name) => `${name}=${values[name]}`).join(','))
      const { memory, iterations, parallelism } = parametersOf(text)
      assert.deepEqual([memory, iterations, parallelism], [8 * p + more, t, p])
    }),
  )
})

test('no text makes the parser throw', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 1100 }), (text) => {
      parseDigest(text)
      parseDigest(`$${text}`)
    }),
  )
})
