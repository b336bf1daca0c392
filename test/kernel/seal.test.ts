import assert from 'node:assert/strict'
import { test } from 'node:test'
import { inspect } from 'node:util'
import { createSealer } from '../../src/kernel/seal.ts'
import { Secret } from '../../src/kernel/secret.ts'

const ring = (...secrets: string[]) =>
  createSealer(
    secrets.map((s) => new Secret(s)),
    'test',
  )
const plain = Buffer.from('who and when')

test('what is sealed opens in its place and nowhere else', () => {
  const sealer = ring('first')
  const sealed = sealer.seal(plain, 'sessions/a')
  assert.deepEqual(sealer.open(sealed, 'sessions/a'), plain)
  assert.equal(sealer.open(sealed, 'sessions/b'), undefined)
})
test('another secret, and the same secret for another purpose, open nothing', () => {
  const sealed = ring('first').seal(plain, 'p')
  assert.equal(ring('second').open(sealed, 'p'), undefined)
  assert.equal(createSealer([new Secret('first')], 'other').open(sealed, 'p'), undefined)
})
test('a changed ring still opens what its older keys sealed, and seals with the new one', () => {
  const old = ring('old').seal(plain, 'p')
  assert.deepEqual(ring('new', 'old').open(old, 'p'), plain)
  assert.equal(ring('old').open(ring('new', 'old').seal(plain, 'p'), 'p'), undefined)
})
test('every flipped bit and every truncation is refused', () => {
  const sealer = ring('first')
  const sealed = sealer.seal(plain, 'p')
  for (let i = 0; i < sealed.length; i++) {
    const bent = Buffer.from(sealed)
    bent[i] = (bent[i] ?? 0) ^ 1
    assert.equal(sealer.open(bent, 'p'), undefined, `byte ${i}`)
    assert.equal(sealer.open(sealed.subarray(0, i), 'p'), undefined, `length ${i}`)
  }
})
test('the same text never seals to the same bytes', () => {
  const sealer = ring('first')
  assert.notDeepEqual(sealer.seal(plain, 'p'), sealer.seal(plain, 'p'))
})
test('a secret does not print itself', () => {
  const secret = new Secret('hunter2')
  for (const text of [String(secret), JSON.stringify({ secret }), inspect({ secret }), `${secret}`])
    assert.ok(!text.includes('hunter2'), text)
})
