import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { formatFault, formatNotice, loadConfig } from '../../src/config/index.ts'
import { createPasswords } from '../../src/features/passwords/index.ts'
import passwords from '../../src/features/passwords/manifest.ts'
import { hashParameters } from '../../src/features/users/index.ts'
import users from '../../src/features/users/manifest.ts'
import { systemClock } from '../../src/kernel/clock.ts'

async function load(t: TestContext, text: string) {
  const cwd = mkdtempSync(join(tmpdir(), 'vestibule-config-'))
  t.after(() => rmSync(cwd, { recursive: true, force: true }))
  writeFileSync(join(cwd, 'c.yml'), text)
  return loadConfig({ files: ['c.yml'], env: {}, cwd, features: { users, passwords } })
}
async function accepted(t: TestContext, text: string) {
  const loaded = await load(t, text)
  assert.ok(loaded.ok, loaded.ok ? '' : loaded.faults.map(formatFault).join('\n'))
  const { config, warnings } = loaded
  return {
    file: config['authentication_backend.file'],
    refresh: config['authentication_backend.refresh_interval'],
    hashing: config['authentication_backend.hashing'],
    rehash: config['authentication_backend.rehash_on_login'],
    parameters: hashParameters(config['authentication_backend.file'].password),
    warnings: warnings.map(formatNotice).join('\n'),
  }
}
async function refused(t: TestContext, text: string): Promise<string> {
  const loaded = await load(t, text)
  assert.ok(!loaded.ok, `accepted:\n${text}`)
  return loaded.faults.map(formatFault).join('\n')
}
const password = (keys: string) => `authentication_backend: {file: {password: {${keys}}}}\n`

test('without a word about it, users are in the data directory and hashed with argon2id', async (t) => {
  const { file, parameters, refresh, hashing, warnings } = await accepted(t, '')
  assert.equal(warnings, '')
  assert.deepEqual([file.path, file.watch], ['', true])
  assert.deepEqual({ ...file.search }, { email: false, case_insensitive: false })
  assert.deepEqual(parameters, {
    algorithm: 'argon2',
    variant: 'argon2id',
    iterations: 3,
    memory: 65_536,
    parallelism: 4,
    keyLength: 32,
    saltLength: 16,
  })
  assert.equal(refresh, 300_000)
  assert.deepEqual({ ...hashing }, { queue: 64 })
})

test('the old keys count, memory in MiB, each with what to write today', async (t) => {
  const { file, parameters, warnings } = await accepted(
    t,
    `authentication_backend:
  file:
    path: /config/users.yml
    password:
      algorithm: argon2id
      iterations: 1
      salt_length: 16
      parallelism: 8
      memory: 1024
`,
  )
  assert.equal(file.path, '/config/users.yml')
  assert.deepEqual(parameters, {
    algorithm: 'argon2',
    variant: 'argon2id',
    iterations: 1,
    memory: 1024 * 1024,
    parallelism: 8,
    keyLength: 32,
    saltLength: 16,
  })
  assert.match(
    warnings,
    /c\.yml:9:7 .*password\.memory: .*argon2\.memory: 1048576 \(it counts KiB\)/,
  )
  assert.equal(warnings.split('\n').length, 4)
})

test('the keys of today count, memory in KiB', async (t) => {
  const { parameters, warnings } = await accepted(
    t,
    password(
      'algorithm: argon2, argon2: {variant: argon2i, iterations: 2, memory: 32768, parallelism: 1, key_length: 64, salt_length: 32}',
    ),
  )
  assert.equal(warnings, '')
  assert.deepEqual(parameters, {
    algorithm: 'argon2',
    variant: 'argon2i',
    iterations: 2,
    memory: 32_768,
    parallelism: 1,
    keyLength: 64,
    saltLength: 32,
  })
})

test('MiB and KiB are not mixed up without a word', async (t) => {
  assert.match(await refused(t, password('memory: 65536')), /more than 4 GiB: this key counts MiB/)
  const inBytes = await refused(t, password('argon2: {memory: 67108864}'))
  assert.match(inBytes, /more than 4 GiB: this key counts KiB/)
  const { warnings } = await accepted(t, password('argon2: {memory: 64}'))
  assert.match(warnings, /argon2\.memory: is 64 KiB, which protects little; was it meant as MiB\?/)
  const { parameters } = await accepted(t, password('memory: 4096'))
  assert.ok(parameters.algorithm === 'argon2')
  assert.equal(parameters.memory, 4 * 1024 * 1024)
})

test('parameters out of bounds are refused', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['argon2: {memory: 31}', /argon2\.memory: .*eight times parallelism.*at least 32 KiB/],
    ['argon2: {memory: 64, parallelism: 9}', /argon2\.memory: .*at least 72 KiB/],
    ['memory: 1, parallelism: 129', /password\.memory: .*at least 1032 KiB/],
    ['argon2: {iterations: 0}', /argon2\.iterations: .*at least 1/],
    ['iterations: 0', /password\.iterations/],
    ['iterations: 50000', /password\.iterations: is out of bounds.*1 to 1000/],
    ['argon2: {key_length: 15}', /argon2\.key_length: .*at least 16/],
    ['key_length: 8', /password\.key_length: .*16 to 512/],
    ['argon2: {salt_length: 7}', /argon2\.salt_length: .*at least 8/],
    ['salt_length: 4', /password\.salt_length: .*8 to 256/],
    ['parallelism: 300', /password\.parallelism: .*1 to 255/],
    ['iterations: 2, argon2: {iterations: 3}', /given together with argon2\.iterations/],
    ['algorithm: argon2id, argon2: {variant: argon2d}', /two variants/],
    ['argon2: {iterations: 5, memory: 4194304}', /argon2\.memory: .*too long.*at most 3355443 KiB/],
    ['memory: 4096, iterations: 5', /password\.memory: .*too long/],
    ['algorithm: rot13', /algorithm: .*allowed: argon2/],
  ]
  for (const [keys, expected] of cases)
    assert.match(await refused(t, password(keys)), expected, keys)
})

test('sha512 can be chosen under both of its names, its iterations are at least 1000', async (t) => {
  const cases: readonly (readonly [string, number, number, RegExp])[] = [
    ['algorithm: sha512', 50_000, 16, /^$/],
    ['algorithm: sha2crypt', 50_000, 16, /^$/],
    ['algorithm: sha2crypt, sha2crypt: {iterations: 1000, salt_length: 8}', 1000, 8, /^$/],
    ['algorithm: sha512, iterations: 60000, salt_length: 12', 60_000, 12, /sha2crypt\.salt_length/],
    ['algorithm: sha512, iterations: 1', 1000, 16, /iterations: is taken for 1000/],
    [
      'algorithm: sha2crypt, sha2crypt: {iterations: 999}',
      1000,
      16,
      /sha2crypt\.iterations: is taken for 1000/,
    ],
    ['algorithm: sha512, memory: 1024, parallelism: 8', 50_000, 16, /memory: means nothing/],
    ['algorithm: sha512, argon2: {memory: 65536}', 50_000, 16, /^$/],
  ]
  for (const [keys, iterations, saltLength, warning] of cases) {
    const { parameters, warnings } = await accepted(t, password(keys))
    assert.deepEqual(
      parameters,
      { algorithm: 'sha2crypt', variant: 'sha512', iterations, saltLength },
      keys,
    )
    assert.match(warnings, warning, keys)
  }
})

test('what sha512 cannot have is refused', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['algorithm: sha512, sha2crypt: {iterations: 5000001}', /sha2crypt\.iterations/],
    ['algorithm: sha512, iterations: 5000001', /iterations: .*1 to 5000000/],
    ['algorithm: sha512, sha2crypt: {iterations: 0}', /sha2crypt\.iterations/],
    ['algorithm: sha512, sha2crypt: {salt_length: 17}', /sha2crypt\.salt_length/],
    ['algorithm: sha512, sha2crypt: {salt_length: 7}', /sha2crypt\.salt_length/],
    ['algorithm: sha512, salt_length: 17', /salt_length: .*8 to 16/],
    [
      'algorithm: sha512, sha2crypt: {variant: sha256}',
      /algorithm: and sha2crypt\.variant name two/,
    ],
    [
      'algorithm: sha512, iterations: 2000, sha2crypt: {iterations: 3000}',
      /together with sha2crypt\.iterations/,
    ],
  ]
  for (const [keys, expected] of cases)
    assert.match(await refused(t, password(keys)), expected, keys)
})

test("every algorithm of Authelia's makes digests, with its keys and defaults", async (t) => {
  const cases: readonly (readonly [keys: string, parameters: object])[] = [
    ['algorithm: bcrypt', { algorithm: 'bcrypt', variant: 'standard', cost: 12 }],
    [
      'algorithm: bcrypt, bcrypt: {variant: sha256, cost: 13}',
      { algorithm: 'bcrypt', variant: 'sha256', cost: 13 },
    ],
    [
      'algorithm: scrypt',
      {
        algorithm: 'scrypt',
        iterations: 16,
        blockSize: 8,
        parallelism: 1,
        keyLength: 32,
        saltLength: 16,
      },
    ],
    [
      'algorithm: sha2crypt, sha2crypt: {variant: sha256}',
      { algorithm: 'sha2crypt', variant: 'sha256', iterations: 50_000, saltLength: 16 },
    ],
    ...Object.entries({
      sha1: 1_600_000,
      sha224: 900_000,
      sha256: 700_000,
      sha384: 280_000,
      sha512: 310_000,
    }).map(
      ([variant, iterations]) =>
        [
          `algorithm: pbkdf2, pbkdf2: {variant: ${variant}}`,
          { algorithm: 'pbkdf2', variant, iterations, saltLength: 16 },
        ] as const,
    ),
  ]
  for (const [keys, expected] of cases) {
    const { parameters, warnings } = await accepted(t, password(keys))
    assert.deepEqual(parameters, expected, keys)
    assert.equal(warnings, '', keys)
  }
  const { warnings } = await accepted(t, password('algorithm: bcrypt, iterations: 3'))
  assert.match(warnings, /iterations: means nothing to bcrypt; its keys are below bcrypt/)
})

test('what would take too long, or makes nothing that can be read, is refused', async (t) => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ['bcrypt: {cost: 9}', /bcrypt\.cost: .*at least 10/],
    ['bcrypt: {cost: 18}', /bcrypt\.cost: .*at most 17/],
    ['pbkdf2: {iterations: 99999}', /pbkdf2\.iterations: .*at least 100000/],
    ['pbkdf2: {salt_length: 7}', /pbkdf2\.salt_length: .*at least 8/],
    ['scrypt: {variant: yescrypt}', /scrypt\.variant: is yescrypt, which is neither made nor read/],
    ['scrypt: {iterations: 20, block_size: 16}', /password\.scrypt: takes more than 1 GiB/],
    ['scrypt: {iterations: 16, parallelism: 65}', /password\.scrypt: takes too long/],
    ['scrypt: {iterations: 16, block_size: 1}', /scrypt\.iterations: .*less than 16/],
  ]
  for (const [keys, expected] of cases) {
    const [algorithm = ''] = keys.split(':')
    assert.match(await refused(t, password(`algorithm: ${algorithm}, ${keys}`)), expected, keys)
  }
})

test('whatever is accepted makes digests that are read again', async (t) => {
  const extremes = [
    'argon2: {memory: 4194304, iterations: 4, parallelism: 255, key_length: 512, salt_length: 256}',
    'argon2: {memory: 16777, iterations: 1000, parallelism: 1, key_length: 16, salt_length: 8}',
    'memory: 4096, iterations: 4',
    'algorithm: sha512, sha2crypt: {iterations: 5000000, salt_length: 16}',
    'algorithm: sha512, sha2crypt: {iterations: 1, salt_length: 8}',
    'algorithm: sha2crypt, sha2crypt: {variant: sha256, iterations: 5000000, salt_length: 16}',
    'algorithm: bcrypt, bcrypt: {cost: 17}',
    'algorithm: bcrypt, bcrypt: {variant: sha256, cost: 10}',
    'algorithm: pbkdf2, pbkdf2: {variant: sha1, iterations: 10000000, salt_length: 256}',
    'algorithm: pbkdf2, pbkdf2: {variant: sha224, salt_length: 8}',
    'algorithm: scrypt, scrypt: {iterations: 20, block_size: 8, key_length: 512, salt_length: 256, parallelism: 4}',
    'algorithm: scrypt, scrypt: {iterations: 1, block_size: 1024, parallelism: 256, key_length: 16, salt_length: 8}',
  ]
  for (const keys of extremes) {
    const { parameters } = await accepted(t, password(keys))
    createPasswords({ parameters, queue: 1, clock: systemClock })
  }
})

test('rehashing at sign-in can be turned off', async (t) => {
  assert.equal((await accepted(t, '')).rehash, true)
  const { rehash } = await accepted(t, 'authentication_backend: {rehash_on_login: false}\n')
  assert.equal(rehash, false)
})

test('the refresh interval is a duration or a word', async (t) => {
  const refresh = async (value: string) =>
    (await accepted(t, `authentication_backend: {refresh_interval: ${value}}\n`)).refresh
  assert.equal(await refresh('1h'), 3_600_000)
  assert.equal(await refresh('60'), 60_000)
  assert.equal(await refresh('always'), 'always')
  assert.equal(await refresh('never'), 'never')
  assert.equal(await refresh('disable'), 'never')
  assert.match(
    await refused(t, 'authentication_backend: {refresh_interval: soon}\n'),
    /refresh_int/,
  )
})

test('hashing is bounded', async (t) => {
  const { hashing } = await accepted(
    t,
    'authentication_backend: {hashing: {concurrency: 2, queue: 8}}',
  )
  assert.deepEqual({ ...hashing }, { concurrency: 2, queue: 8 })
  for (const keys of ['concurrency: 0', 'queue: 0', 'concurrency: 1.5', 'queue: 1000000'])
    assert.match(await refused(t, `authentication_backend: {hashing: {${keys}}}\n`), /hashing\./)
})

test('extra attributes are declared with their type', async (t) => {
  const { file } = await accepted(
    t,
    'authentication_backend: {file: {extra_attributes: {rank: {value_type: integer}, tags: {multi_valued: true, value_type: string}}}}\n',
  )
  assert.deepEqual(Object.keys(file.extra_attributes), ['rank', 'tags'])
  assert.match(
    await refused(
      t,
      'authentication_backend: {file: {extra_attributes: {rank: {value_type: float}}}}\n',
    ),
    /value_type/,
  )
})

test('users are in a file or in the database, and not in both', async (t) => {
  const both = await refused(t, 'authentication_backend: {file: {}, database: {}}\n')
  assert.match(both, /authentication_backend\.file: and authentication_backend\.database are both/)
  await accepted(t, 'authentication_backend: {database: {}}\n')
  await accepted(t, 'authentication_backend: {file: {}}\n')
})
