import assert from 'node:assert/strict'
import { rmSync } from 'node:fs'
import { type TestContext, test } from 'node:test'
import {
  type HashParameters,
  type Passwords,
  parseDigest,
} from '../../src/features/passwords/index.ts'
import type { Users } from '../../src/features/users/index.ts'
import { AppError } from '../../src/kernel/errors.ts'
import {
  CHEAP,
  cheapPasswords,
  DIGEST,
  makeStore,
  openStore,
  SECRET_DIGEST,
  until,
} from './store.ts'

/** All of them of `password`. */
const BCRYPT = '$2b$10$3o9IF74Phgdz4Q6j7K7s0unovt.v.7YBLKFyV73pGTd2.tfdz/F8e'
const SHA512 =
  '$6$rounds=1000$eG49klxUKySvBpju$.1paw1pj51FdmvNAnsNoX8lyHMdH/S74DfkZnWWTOnGI9keTp/DXjR9ro5kJrncPSF5fc.krAwdkBxc4C8kSU1'
const DEARER =
  '$argon2id$v=19$m=65536,t=3,p=4$QmkpoTw3W72fzd7RrWofuw$r0xig+VVj7ynnE2S1jrE5us7dPKv2S2ff6Z6ts4mVuU'
const CLIENT = '192.0.2.1'

const file = (digest: string, more = '') => `# ours
users:
  anna:
    displayname: Anna   # a comment
    password: '${SECRET_DIGEST}'
  john:
    displayname: "John"
    password: ${digest} # the digest
    groups: [dev]
${more}`

async function open(
  t: TestContext,
  text: string,
  passwords: Partial<Passwords> = {},
  rehash = true,
) {
  const store = makeStore(t, text)
  const opened = await openStore(t, store, {
    rehash,
    passwords: { ...cheapPasswords(), ...passwords },
  })
  const removed: string[] = []
  opened.users.onInvalidated((names) => removed.push(...names))
  return { ...opened, store, removed }
}
const kind = async (users: Users, password = 'password', login = 'john') =>
  (await users.authenticate(login, password, CLIENT)).kind
const digestOf = (text: string) => /password: "?(\S+?)"? # the digest/.exec(text)?.[1] ?? ''

test('a weak digest is made anew at sign-in: nothing else in the file changes, and nobody is signed out', async (t) => {
  for (const weak of [SHA512, BCRYPT]) {
    const { users, store, removed, text } = await open(t, file(weak))
    assert.equal(await kind(users), 'accepted')
    await until(() => !store.read().includes(weak))
    const digest = digestOf(store.read())
    assert.match(digest, /^\$argon2id\$v=19\$m=8,t=1,p=1\$/)
    assert.equal(store.read(), file(`"${digest}"`))
    await until(() => text().includes('made anew'))
    assert.deepEqual(removed, [])
    assert.equal(await kind(users), 'accepted')
    assert.equal(await kind(users, 'wrong'), 'refused')
    assert.equal(await kind(users, 'secret', 'anna'), 'accepted')
    assert.doesNotMatch(text(), /\$/)
    await users.close()
    assert.equal(digestOf(store.read()), digest, 'once is enough')
  }
})

test('nothing is made anew for a wrong password, a disabled user, a dearer digest, or when it is turned off', async (t) => {
  const cases: readonly (readonly [string, string, boolean])[] = [
    [file(SHA512), 'wrong', true],
    [file(SHA512), '', true],
    [file(SHA512, '    disabled: true\n'), 'password', true],
    [file(DEARER), 'password', true],
    [file(DIGEST), 'password', true],
    [file(SHA512), 'password', false],
  ]
  for (const [text, password, rehash] of cases) {
    let made = 0
    const real = cheapPasswords()
    const hash: Passwords['hash'] = (...given) => {
      made++
      return real.hash(...given)
    }
    const { users, store } = await open(t, text, { hash }, rehash)
    await kind(users, password)
    await users.close()
    assert.equal(store.read(), text)
    assert.equal(made, 0)
  }
})

/** Passwords whose next digest is made when the test says so. */
function held() {
  const real = cheapPasswords()
  const gate = Promise.withResolvers<void>()
  let asked = 0
  return {
    asked: () => asked,
    release: () => gate.resolve(),
    passwords: {
      ...real,
      async hash(password, client) {
        asked++
        await gate.promise
        return real.hash(password, client)
      },
    } satisfies Passwords,
  }
}

test('the sign-in does not wait, and several at the same time make one digest', async (t) => {
  const { passwords, release, asked } = held()
  const { users, store } = await open(t, file(SHA512), passwords)
  const kinds = await Promise.all([kind(users), kind(users), kind(users)])
  assert.deepEqual(kinds, ['accepted', 'accepted', 'accepted'])
  assert.equal(await kind(users), 'accepted')
  assert.equal(asked(), 1)
  assert.equal(store.read(), file(SHA512))
  release()
  await users.close()
  assert.match(digestOf(store.read()), /^\$argon2id/)
})

test('a sign-in that began under the old digest is accepted under the new one, even when more changed', async (t) => {
  const real = cheapPasswords()
  const gate = Promise.withResolvers<void>()
  let verified = 0
  const { users, store } = await open(t, file(SHA512), {
    async verify(...given) {
      const matches = await real.verify(...given)
      if (++verified === 1) await gate.promise
      return matches
    },
  })
  const slow = kind(users)
  await until(() => verified === 1)
  assert.equal(await kind(users), 'accepted')
  await until(() => !store.read().includes(SHA512))
  store.write(store.read().replace('[dev]', '[dev, ops]'))
  await until(() => store.read().includes('ops'))
  await users.reload()
  gate.resolve()
  assert.equal(await slow, 'accepted')
})

test('a password that was changed meanwhile, by hand or by us, is not undone', async (t) => {
  for (const byHand of [true, false]) {
    const { passwords, release, asked } = held()
    const { users, store, text } = await open(t, file(SHA512), passwords)
    assert.equal(await kind(users), 'accepted')
    await until(() => asked() === 1)
    // Not read yet when it is by hand: the watch is off.
    const own = cheapPasswords()
    const next = byHand ? SECRET_DIGEST : await own.hash('secret', '')
    store.write(file(next))
    if (!byHand) await users.reload()
    release()
    await users.close()
    assert.equal(store.read(), file(next))
    await users.reload()
    assert.equal(await kind(users, 'secret'), 'accepted')
    assert.equal(await kind(users), 'refused')
    assert.doesNotMatch(text(), /^error/m)
  }
})

test('what was edited by hand and not read yet counts from then on', async (t) => {
  const { passwords, release, asked } = held()
  const { users, store, removed } = await open(t, file(SHA512), passwords)
  assert.equal(await kind(users), 'accepted')
  await until(() => asked() === 1)
  store.write(file(SHA512, '    disabled: true\n'))
  release()
  await users.close()
  assert.match(digestOf(store.read()), /^\$argon2id/)
  assert.deepEqual(removed, ['john'])
  assert.equal(await kind(users), 'refused')
})

test('a file that cannot be changed costs one warning and no sign-in', async (t) => {
  const text = file(SHA512).replace(SECRET_DIGEST, BCRYPT)
  let made = 0
  const real = cheapPasswords()
  const { users, store, lines } = await open(t, text, {
    hash(...given) {
      made++
      return real.hash(...given)
    },
  })
  rmSync(store.path)
  for (const name of ['john', 'anna', 'john', 'anna', 'john'])
    assert.equal(await kind(users, 'password', name), 'accepted')
  await users.close()
  assert.equal(made, 2, 'each digest once')
  const [line, ...more] = lines
  assert.deepEqual(more, [])
  assert.equal(line?.level, 'warn')
  assert.match(line.message, /stay as they are: they cannot be stored/)
  assert.equal(line.fields['reason'], 'does not exist any more')
})

test('when there is no room for the work, the next sign-in does it', async (t) => {
  const real = cheapPasswords()
  let asked = 0
  const { users, store, lines } = await open(t, file(SHA512), {
    hash: (...given) =>
      ++asked === 1 ? Promise.reject(new AppError('HASHING_BUSY')) : real.hash(...given),
  })
  assert.equal(await kind(users), 'accepted')
  await until(() => asked === 1)
  assert.equal(await kind(users), 'accepted')
  await until(() => !store.read().includes(SHA512))
  assert.deepEqual(
    lines.filter(({ level }) => level !== 'info'),
    [],
  )
})

test('from one algorithm to the next a digest only climbs, in the order of requirement 8', async (t) => {
  const store = makeStore(t, file(SHA512))
  const climb: readonly HashParameters[] = [
    { algorithm: 'pbkdf2', variant: 'sha256', iterations: 1000, saltLength: 16 },
    { algorithm: 'bcrypt', variant: 'standard', cost: 4 },
    { algorithm: 'bcrypt', variant: 'sha256', cost: 4 },
    {
      algorithm: 'scrypt',
      iterations: 4,
      blockSize: 8,
      parallelism: 1,
      keyLength: 32,
      saltLength: 16,
    },
    CHEAP,
  ]
  const seen: string[] = []
  // Up once, and then down: where nothing changes any more.
  for (const parameters of [...climb, ...climb]) {
    const { users } = await openStore(t, store, {
      rehash: true,
      passwords: cheapPasswords(parameters),
    })
    assert.equal(await kind(users), 'accepted')
    await users.close()
    const parsed = parseDigest(digestOf(store.read()))
    assert.ok(parsed.ok)
    seen.push(parsed.digest.scheme)
  }
  const top = climb.map(() => 'argon2')
  assert.deepEqual(seen, ['pbkdf2', 'bcrypt', 'bcrypt', 'scrypt', 'argon2', ...top])
})

test('a new digest is never weaker: signing in over and over under changing parameters only climbs', async (t) => {
  const store = makeStore(t, file(SHA512))
  const seen: string[] = []
  for (const parameters of [
    { algorithm: 'sha2crypt', variant: 'sha512', iterations: 2000, saltLength: 16 },
    CHEAP,
    { algorithm: 'sha2crypt', variant: 'sha512', iterations: 50_000, saltLength: 16 },
    { ...CHEAP, iterations: 2 },
    CHEAP,
  ] as const) {
    const { users } = await openStore(t, store, {
      rehash: true,
      passwords: cheapPasswords(parameters),
    })
    assert.equal(await kind(users), 'accepted')
    await users.close()
    const parsed = parseDigest(digestOf(store.read()))
    assert.ok(parsed.ok)
    const { scheme, parameters: cost } = parsed.digest
    seen.push(`${scheme} ${cost['rounds'] ?? cost['iterations']}`)
  }
  assert.deepEqual(seen, ['sha-crypt 2000', 'argon2 1', 'argon2 1', 'argon2 2', 'argon2 2'])
})
