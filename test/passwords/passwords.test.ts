import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type Argon2Parameters,
  createPasswords,
  type Digest,
  type HashParameters,
  makeDigest,
  parseDigest,
} from '../../src/features/passwords/index.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { FakeClock } from '../support/clock.ts'

const PARAMETERS = {
  algorithm: 'argon2',
  variant: 'argon2id',
  iterations: 1,
  memory: 64,
  parallelism: 1,
  keyLength: 32,
  saltLength: 16,
} as const satisfies HashParameters
const make = (parameters: Partial<Argon2Parameters> = {}) =>
  makeWith({ ...PARAMETERS, ...parameters })
const makeWith = (parameters: HashParameters) =>
  createPasswords({
    parameters,
    concurrency: 1,
    queue: 8,
    clock: new FakeClock(),
  })
function read(text: string): Digest {
  const parsed = parseDigest(text)
  assert.ok(parsed.ok)
  return parsed.digest
}
const CLIENT = '192.0.2.1'

test('a password of which bcrypt would read the beginning alone is not hashed, nor rehashed, with it', async () => {
  const bcrypt = makeWith({ algorithm: 'bcrypt', variant: 'standard', cost: 4 })
  const weak = makeWith({
    algorithm: 'sha2crypt',
    variant: 'sha512',
    iterations: 1000,
    saltLength: 16,
  })
  for (const [length, fits] of [
    [72, true],
    [73, false],
  ] as const) {
    const password = 'x'.repeat(length)
    const parsed = parseDigest(await weak.hash(password, ''))
    assert.ok(parsed.ok)
    assert.equal(bcrypt.isOutdated(parsed.digest, password), fits)
    const made = bcrypt.hash(password, '').then(() => true)
    if (fits) assert.equal(await made, true)
    else await assert.rejects(made, { code: 'PASSWORD_UNUSABLE' })
  }
})

test('a new digest carries the configured parameters, and its password alone verifies', async () => {
  const passwords = make({
    variant: 'argon2i',
    iterations: 2,
    memory: 72,
    keyLength: 24,
    saltLength: 9,
  })
  const text = await passwords.hash('pässwörd \u{1f511}', CLIENT)
  assert.match(text, /^\$argon2i\$v=19\$m=72,t=2,p=1\$[A-Za-z0-9+/]{12}\$[A-Za-z0-9+/]{32}$/)
  assert.equal(await passwords.verify(read(text), 'pässwörd \u{1f511}', CLIENT), true)
  assert.equal(await passwords.verify(read(text), 'passwörd \u{1f511}', CLIENT), false)
})

test('sha512 digests can be made instead, with the rounds and the salt that are configured', async () => {
  const passwords = makeWith({
    algorithm: 'sha2crypt',
    variant: 'sha512',
    iterations: 1234,
    saltLength: 11,
  })
  const text = await passwords.hash('pässwörd \u{1f511}', CLIENT)
  assert.match(text, /^\$6\$rounds=1234\$[./0-9A-Za-z]{11}\$[./0-9A-Za-z]{86}$/)
  assert.equal(await passwords.verify(read(text), 'pässwörd \u{1f511}', CLIENT), true)
  assert.equal(await passwords.verify(read(text), 'passwörd \u{1f511}', CLIENT), false)
  await passwords.close()
})

test('salts of 16 characters use the whole alphabet and do not repeat', async () => {
  const passwords = makeWith({
    algorithm: 'sha2crypt',
    variant: 'sha512',
    iterations: 1000,
    saltLength: 16,
  })
  const salts = new Set<string>()
  for (let i = 0; i < 100; i++) salts.add((await passwords.hash('x', CLIENT)).split('$')[3] ?? '')
  assert.equal(salts.size, 100)
  assert.equal(new Set([...salts].join('')).size, 64)
  await passwords.close()
})

test('a digest can be made with a salt of the caller’s choice', async () => {
  const salt = Buffer.from('abcdefgh')
  assert.match(await makeDigest(PARAMETERS, 'x', salt), /\$YWJjZGVmZ2g\$/)
  const sha512 = {
    algorithm: 'sha2crypt',
    variant: 'sha512',
    iterations: 1000,
    saltLength: 16,
  } as const
  assert.match(await makeDigest(sha512, 'x', salt), /^\$6\$rounds=1000\$abcdefgh\$/)
})

test('a weaker digest is outdated, unless its scheme looked at a part of the password only', () => {
  const passwords = make()
  const digest = (text: string, password: string) => passwords.isOutdated(read(text), password)
  const bcrypt = '$2b$10$3o9IF74Phgdz4Q6j7K7s0unovt.v.7YBLKFyV73pGTd2.tfdz/F8e'
  assert.equal(digest(bcrypt, 'ä'.repeat(36)), true)
  assert.equal(digest(bcrypt, `${'ä'.repeat(36)}x`), false)
  const sha256 = `$bcrypt-sha256$v=2,t=2b,r=10$oYmTNJVOBi3hdhUYy4JqOe$jCuMDm.Pw9hhoF/FDC6sOi48yBAoWvC`
  assert.equal(digest(sha256, 'x'.repeat(1000)), true)
})

test('an empty and an oversized password cannot be set', async () => {
  const passwords = make()
  for (const password of ['', 'x'.repeat(1025), 'ä'.repeat(513)]) {
    await assert.rejects(
      passwords.hash(password, CLIENT),
      (error) => error instanceof AppError && error.code === 'PASSWORD_UNUSABLE',
    )
  }
  const longest = 'ä'.repeat(512)
  assert.equal(
    await passwords.verify(read(await passwords.hash(longest, CLIENT)), longest, CLIENT),
    true,
  )
})

test('an empty and an oversized password are wrong even when they match, at the price of a real one', async () => {
  const passwords = make()
  const tried: string[] = []
  // What any password matches: only the guard before it can say no.
  const gullible: Digest = {
    ...read(await passwords.hash('x', CLIENT)),
    matches: async (password) => tried.push(password) > 0,
  }
  assert.equal(await passwords.verify(gullible, 'short', CLIENT), true)
  assert.equal(await passwords.verify(gullible, '', CLIENT), false)
  assert.equal(await passwords.verify(gullible, 'x'.repeat(1_000_000), CLIENT), false)
  assert.equal(tried.length, 3, 'each did the work')
  assert.ok(
    tried.every((password) => password.length < 10),
    'the oversized one was not hashed',
  )
})

test('burning takes a slot and the time of a verify with the configured parameters', async () => {
  const passwords = make({ memory: 16_384, iterations: 2 })
  const digest = read(await passwords.hash('password', CLIENT))
  const time = async (work: () => Promise<unknown>): Promise<number> => {
    const start = performance.now()
    await work()
    return performance.now() - start
  }
  const [verify, burn]: [number[], number[]] = [[], []]
  let ratio = 0
  const isAlike = () => ratio > 1 / 3 && ratio < 3
  // The best of each, in turn: fifteen, and more where a busy machine let none of one kind run through. Without the work
  // the ratio is in the hundreds, however often it is asked.
  for (let i = 0; i < 15 || (i < 90 && !isAlike()); i++) {
    verify.push(await time(() => passwords.verify(digest, 'wrong', CLIENT)))
    burn.push(await time(() => passwords.burn('wrong', CLIENT)))
    ratio = Math.min(...burn) / Math.min(...verify)
  }
  assert.ok(isAlike(), `burn takes ${ratio} times a verify`)
})

test('verify, hash and burn share one bounded queue', async () => {
  const passwords = createPasswords({
    parameters: PARAMETERS,
    concurrency: 1,
    queue: 2,
    clock: new FakeClock(),
  })
  const digest = read(await passwords.hash('password', CLIENT))
  const settled = await Promise.allSettled([
    passwords.verify(digest, 'password', '192.0.2.1'),
    passwords.burn('password', '192.0.2.2'),
    passwords.hash('password', '192.0.2.3'),
    passwords.burn('password', '192.0.2.4'),
    passwords.verify(digest, 'password', '192.0.2.5'),
  ])
  assert.deepEqual(
    settled.map((one) =>
      one.status === 'rejected' && one.reason instanceof AppError ? one.reason.code : one.status,
    ),
    ['fulfilled', 'fulfilled', 'fulfilled', 'HASHING_BUSY', 'HASHING_BUSY'],
  )
  await passwords.close()
})

test('parameters that a scheme cannot have are refused when the room is made', () => {
  assert.throws(() => make({ memory: 7 }), RangeError)
  assert.throws(() => make({ keyLength: 8 }), RangeError)
  assert.throws(() => make({ memory: 4_194_304, iterations: 5 }), RangeError)
  for (const [iterations, saltLength] of [
    [999, 16],
    [5_000_001, 16],
    [1000, 17],
  ] as const)
    assert.throws(
      () => makeWith({ algorithm: 'sha2crypt', variant: 'sha512', iterations, saltLength }),
      RangeError,
    )
})
