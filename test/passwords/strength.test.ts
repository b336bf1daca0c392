import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { isWeaker, type Strength } from '../../src/features/passwords/strength.ts'

const argon2 = (
  [memory, iterations, parallelism]: readonly [number, number, number] = [65_536, 3, 4],
  { variant = 'argon2id', keyLength = 32, saltLength = 16 } = {},
): Strength => ({
  scheme: 'argon2',
  variant,
  parameters: { memory, iterations, parallelism, keyLength, saltLength },
})
const scrypt = (ln: number): Strength => ({
  scheme: 'scrypt',
  variant: 'scrypt',
  parameters: { ln, r: 8, p: 1, keyLength: 32, saltLength: 16 },
})
const bcrypt = (cost: number, variant = '2b'): Strength => ({
  scheme: 'bcrypt',
  variant,
  parameters: { cost },
})
const pbkdf2 = (iterations: number, variant = 'sha512'): Strength => ({
  scheme: 'pbkdf2',
  variant,
  parameters: { iterations, saltLength: 16 },
})
const sha = (rounds: number, variant = 'sha512', saltLength = 16): Strength => ({
  scheme: 'sha-crypt',
  variant,
  parameters: { rounds, saltLength },
})

const TABLE: readonly (readonly [what: string, Strength, configured: Strength, boolean])[] = [
  ['the same', argon2(), argon2(), false],
  ['less memory', argon2([65_535, 3, 4]), argon2(), true],
  ['fewer passes', argon2([65_536, 2, 4]), argon2(), true],
  ['fewer lanes', argon2([65_536, 3, 2]), argon2(), true],
  ['a shorter key', argon2(undefined, { keyLength: 24 }), argon2(), true],
  ['a shorter salt', argon2(undefined, { saltLength: 12 }), argon2(), true],
  ['less of everything', argon2([8, 1, 1], { keyLength: 16, saltLength: 8 }), argon2(), true],
  ['more memory', argon2([65_537, 3, 4]), argon2(), false],
  ['less memory, more passes', argon2([32_768, 4, 4]), argon2(), false],
  ['fewer passes, more memory', argon2([1_048_576, 1, 4]), argon2(), false],
  ['fewer lanes, a longer key', argon2([65_536, 3, 1], { keyLength: 64 }), argon2(), false],
  ['argon2i with the same numbers', argon2(undefined, { variant: 'argon2i' }), argon2(), true],
  ['argon2d with more memory', argon2([65_537, 3, 4], { variant: 'argon2d' }), argon2(), false],
  ['argon2id under argon2i', argon2(), argon2(undefined, { variant: 'argon2i' }), false],
  [
    'argon2id with fewer passes under argon2i',
    argon2([65_536, 2, 4]),
    argon2(undefined, { variant: 'argon2i' }),
    false,
  ],
  ['scrypt, however dear', scrypt(20), argon2([8, 1, 1]), true],
  ['bcrypt, however dear', bcrypt(17), argon2([8, 1, 1]), true],
  ['pbkdf2, however dear', pbkdf2(10_000_000), argon2([8, 1, 1]), true],
  ['sha512-crypt, however dear', sha(5_000_000), argon2([8, 1, 1]), true],
  ['bcrypt under scrypt', bcrypt(17), scrypt(1), true],
  ['pbkdf2 under bcrypt', pbkdf2(10_000_000), bcrypt(4), true],
  ['sha512-crypt under pbkdf2', sha(5_000_000), pbkdf2(1, 'sha1'), true],
  ['argon2id, however cheap, under sha512', argon2([8, 1, 1]), sha(50_000), false],
  ['scrypt under sha512', scrypt(1), sha(50_000), false],
  ['bcrypt under sha512', bcrypt(4), sha(50_000), false],
  ['pbkdf2 under sha512', pbkdf2(1, 'sha1'), sha(50_000), false],
  ['sha512 under sha512', sha(50_000), sha(50_000), false],
  ['fewer rounds', sha(5_000), sha(50_000), true],
  ['more rounds', sha(500_000), sha(50_000), false],
  ['more rounds, a shorter salt', sha(500_000, 'sha512', 8), sha(50_000), false],
  ['sha256 with as many rounds', sha(50_000, 'sha256'), sha(50_000), true],
  ['sha256 with more rounds', sha(500_000, 'sha256'), sha(50_000), false],
  ['pbkdf2 with another hash', pbkdf2(310_000, 'sha1'), pbkdf2(310_000), true],
  ['2a as 2b', bcrypt(12, '2a'), bcrypt(12), false],
  ['plain bcrypt under bcrypt-sha256', bcrypt(12), bcrypt(12, 'bcrypt-sha256'), true],
]

for (const [what, digest, configured, weaker] of TABLE) {
  test(`${what}: ${weaker ? 'weaker' : 'not weaker'}`, () => {
    assert.equal(isWeaker(digest, configured), weaker)
  })
}

test('nothing is weaker than itself, and never two of each other: a rehash ends', () => {
  const any = fc.oneof(
    fc
      .tuple(
        fc.tuple(fc.integer({ min: 8, max: 11 }), fc.integer({ min: 1, max: 3 }), fc.constant(1)),
        fc.constantFrom('argon2id', 'argon2i', 'argon2d'),
        fc.integer({ min: 16, max: 18 }),
      )
      .map(([numbers, variant, keyLength]) => argon2(numbers, { variant, keyLength })),
    fc.integer({ min: 1, max: 3 }).map(scrypt),
    fc.integer({ min: 4, max: 6 }).map((cost) => bcrypt(cost)),
    fc.integer({ min: 1, max: 3 }).map((iterations) => pbkdf2(iterations)),
    fc.integer({ min: 1000, max: 1002 }).map((rounds) => sha(rounds)),
  )
  fc.assert(fc.property(any, (one) => !isWeaker(one, one)))
  fc.assert(fc.property(any, any, (one, two) => !(isWeaker(one, two) && isWeaker(two, one))))
})
