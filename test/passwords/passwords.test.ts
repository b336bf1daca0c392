import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  createPasswords,
  type Digest,
  type HashParameters,
  parseDigest,
} from '../../src/features/passwords/index.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { FakeClock } from '../support/clock.ts'

const PARAMETERS: HashParameters = {
  algorithm: 'argon2',
  variant: 'argon2id',
  iterations: 1,
  memory: 64,
  parallelism: 1,
  keyLength: 32,
  saltLength: 16,
}
const make = (parameters: Partial<HashParameters> = {}) =>
  createPasswords({
    parameters: { ...PARAMETERS, ...parameters },
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
    const took: number[] = []
    for (let i = 0; i < 7; i++) {
      const start = performance.now()
      await work()
      took.push(performance.now() - start)
    }
    return took.sort((a, b) => a - b)[0] ?? 0
  }
  const verify = await time(() => passwords.verify(digest, 'wrong', CLIENT))
  const burn = await time(() => passwords.burn('wrong', CLIENT))
  // Best of seven each; without the work the ratio is in the hundreds.
  assert.ok(burn / verify > 0.5 && burn / verify < 2, `burn ${burn} ms, verify ${verify} ms`)
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

test('parameters that argon2 cannot have are refused when the room is made', () => {
  assert.throws(() => make({ memory: 7 }), RangeError)
  assert.throws(() => make({ keyLength: 8 }), RangeError)
})
