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
  for (const { digest } of [...digests.verified, ...digests.unmatched])
    assert.ok(parseDigest(digest).ok, digest)
  for (const { digest } of digests.malformed) refused(digest)
})

test('yescrypt, 2x, md5-crypt, and passwords that are no digests are refused, with a hint', () => {
  for (const { digest } of digests.never) assert.match(refused(digest), /password/)
  assert.match(refused('$2$10$3o9IF74Phgdz4Q6j7K7s0unovt.v.7YBLKFyV73pGTd2.tfdz/F8e'), /faulty/)
  assert.match(refused('$1$salt$qJH7.N4xYta3aEG/dfqo/0'), /md5-crypt/)
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
    [argon2('m=4194304,t=5,p=1'), /too long/],
    [argon2('m=16778,t=1000,p=1'), /too long/],
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
  assert.ok(parseDigest(argon2('m=4194304,t=4,p=1')).ok)
})

test('what digests of the other schemes may ask of the machine is bounded too', () => {
  const bcrypt = (cost: string) =>
    `$2b$${cost}$3o9IF74Phgdz4Q6j7K7s0unovt.v.7YBLKFyV73pGTd2.tfdz/F8e`
  const scrypt = (parameters: string) => `$scrypt$${parameters}$${SALT}$${KEY}`
  const pbkdf2 = (iterations: string) => `$pbkdf2-sha256$${iterations}$${SALT}$${KEY}`
  const django = (iterations: string) => `pbkdf2_sha256$${iterations}$0123abcd$${KEY}=`
  const sha512 = (rounds: string) => `$6$${rounds}saltsalt$${'.'.repeat(86)}`
  const bcryptSha256 = (parameters: string) =>
    `$bcrypt-sha256$${parameters}$oYmTNJVOBi3hdhUYy4JqOe$jCuMDm.Pw9hhoF/FDC6sOi48yBAoWvC`
  for (const text of [
    ...[bcrypt('04'), bcrypt('17'), bcryptSha256('v=2,t=2y,r=17'), bcryptSha256('v=2,t=2x,r=4')],
    ...[scrypt('ln=20,r=8,p=1'), scrypt('ln=1,r=1,p=256'), scrypt('p=4,r=8,ln=20')],
    ...[pbkdf2('1'), pbkdf2('10000000'), django('10000000')],
    ...[sha512(''), sha512('rounds=1000$'), sha512('rounds=5000000$')],
  ])
    assert.ok(parseDigest(text).ok, text)
  const faulty: readonly (readonly [string, RegExp])[] = [
    [bcrypt('03'), /cost 3 /],
    [bcrypt('18'), /cost 18 /],
    [bcrypt('31'), /cost 31 /],
    [bcrypt('4'), /malformed/],
    [`${bcrypt('10')}.`, /malformed/],
    [`${bcrypt('10')}\n`, /malformed/],
    [bcrypt('10').slice(0, -1), /malformed/],
    [`${bcrypt('10').slice(0, -1)}f`, /malformed/],
    [bcryptSha256('v=2,t=2b,r=18'), /cost 18 /],
    [bcryptSha256('v=1,t=2b,r=10'), /malformed/],
    [bcryptSha256('v=2,t=2b,r=010'), /malformed/],
    [bcryptSha256('v=2,r=10,t=2b'), /malformed/],
    [scrypt('ln=21,r=1,p=1'), /ln=21/],
    [scrypt('ln=99999999,r=1,p=1'), /ln=99999999/],
    [scrypt('ln=0,r=8,p=1'), /ln=0/],
    [scrypt('ln=16,r=1,p=1'), /too much for r=1/],
    [scrypt('ln=20,r=16,p=1'), /1 GiB/],
    [scrypt('ln=20,r=8,p=5'), /too long/],
    [scrypt('ln=4,r=1025,p=1'), /r=1025/],
    [scrypt('ln=4,r=8,p=0'), /p=0/],
    [scrypt('ln=4,r=8,p=257'), /p=257/],
    [scrypt('ln=4,r=8'), /without one/],
    [scrypt('ln=4,r=8,p=1,x=1'), /unknown parameter x/],
    [scrypt('v=1$ln=4,r=8,p=1'), /version/],
    [scrypt('ln=4,r=8,p=1').replace(SALT, 'c2FsdA'), /salt has 4 bytes/],
    [scrypt('ln=4,r=8,p=1').replace(KEY, KEY.slice(0, 20)), /key has 15 bytes/],
    [pbkdf2('0'), /malformed/],
    [pbkdf2('10000001'), /more than 10000000/],
    [pbkdf2('99999999999'), /malformed/],
    [pbkdf2('1000').replace(KEY, KEY.slice(0, 42)), /key has 31 bytes, not 32/],
    [pbkdf2('1000').replace(SALT, 'c2FsdA'), /salt has 4 bytes/],
    [pbkdf2('1000').replace(SALT, 'c2Fsd^'), /not base64/],
    [`${pbkdf2('1000')}$`, /malformed/],
    [django('0'), /malformed/],
    [django('10000001'), /more than 10000000/],
    [django('1000').slice(0, -1), /malformed/],
    [django('1000').replace('0123abcd', '0123'), /salt has 4 bytes/],
    [sha512('rounds=999$'), /1000 to 5000000/],
    [sha512('rounds=5000001$'), /1000 to 5000000/],
    [sha512('rounds=01000$'), /malformed/],
    [`${sha512('')}.`, /malformed/],
    [`${sha512('').slice(0, -1)}2`, /malformed/],
    [sha512('saltsalts'), /malformed/],
  ]
  for (const [text, reason] of faulty) assert.match(refused(text), reason, text)
})

test('any parameters within the bounds are read as they are written', () => {
  const parameters = fc.record({
    p: fc.integer({ min: 1, max: 255 }),
    t: fc.integer({ min: 1, max: 1000 }),
    more: fc.integer({ min: 0, max: 14_000 }),
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
      parseDigest(`pbkdf2_sha256$${text}`)
    }),
  )
})
