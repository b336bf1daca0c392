import assert from 'node:assert/strict'
import { readFileSync, rmSync, writeFileSync } from 'node:fs'
import { test } from 'node:test'
import type { Passwords } from '../../src/features/passwords/index.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { OperatorError } from '../../src/kernel/operator-error.ts'
import { userBackendConformance } from '../conformance/user-backend.ts'
import type { GivenUser } from '../conformance/user-case.ts'
import { approved } from '../support/approved.ts'
import {
  cheapPasswords,
  DIGEST,
  makeStore,
  OTHER_DIGEST,
  openStore,
  openUsers,
  SECRET_DIGEST,
} from './store.ts'

/** Given users as a file; a user who is the same is written the same. */
function writer() {
  const passwords = cheapPasswords()
  const digests = new Map<string, string>()
  return async (given: readonly GivenUser[]): Promise<string> => {
    const users: Record<string, unknown> = {}
    for (const { name, displayName, email, groups, password, disabled } of given) {
      const key = `${name}\0${password}`
      const digest = digests.get(key) ?? (await passwords.hash(password, ''))
      digests.set(key, digest)
      users[name] = { displayname: displayName, password: digest, email, groups, disabled }
    }
    return JSON.stringify({ users })
  }
}

userBackendConformance(
  'file',
  async (t, given) => {
    const write = writer()
    const store = makeStore(t, given.length === 0 ? undefined : await write(given))
    const { backend } = await openUsers({ path: store.path })
    return {
      backend,
      async replaceAll(next) {
        store.write(await write(next))
        const result = await backend.reload()
        assert.ok(result.ok)
      },
    }
  },
  ['writing', 'creation', 'editing', 'removal'],
)

const user = (name: string, digest = DIGEST, more = '') =>
  `  ${name}:\n    displayname: ${name}\n    password: "${digest}"\n${more}`
const CLIENT = '192.0.2.1'

test('a reload of a wrong file keeps everything in force and says why, with line and column', async (t) => {
  const store = makeStore(t, `users:\n${user('john')}`)
  const { users, text, lines } = await openStore(t, store)
  const removed: string[] = []
  users.onInvalidated((names) => removed.push(...names))
  const before = users.profile('john')
  const wrong = [
    `users:\n${user('john', '$argon2id$nonsense')}`,
    'users:\n  john: [\n',
    'users:\n\tjohn: {}\n',
    `users:\n${user('john')}${user('john')}`,
    'people: {}\n',
    '[]\n',
    '',
    '\n \n',
    Buffer.from([0x75, 0x73, 0xff, 0xfe]),
  ]
  for (const content of wrong) {
    lines.length = 0
    writeFileSync(store.path, content)
    const result = await users.reload()
    assert.ok(!result.ok, String(content))
    assert.ok(result.faults.length > 0)
    assert.equal(users.profile('john'), before)
    assert.match(text(), /stays in force/)
    assert.match(text(), /error .*users\.yml/)
    const said = text()
    lines.length = 0
    await users.reload()
    assert.equal(text(), said, 'whoever asks again is told again')
  }
  lines.length = 0
  store.write(`users:\n${user('john', '$argon2id$nonsense')}`)
  await users.reload()
  assert.match(text(), /users\.yml:4:15 users\.john\.password: is an argon2 digest that/)
  assert.doesNotMatch(text(), /nonsense/, 'no part of a digest is repeated')
  assert.deepEqual(removed, [])
  assert.equal((await users.authenticate('john', 'password', CLIENT)).kind, 'accepted')
})

test('a file that vanished is no reason to lock everybody out', async (t) => {
  const store = makeStore(t, `users:\n${user('john')}`)
  const { users } = await openStore(t, store)
  rmSync(store.path)
  assert.equal((await users.reload()).ok, false)
  assert.equal((await users.profile('john'))?.name, 'john')
  await assert.rejects(users.setPassword('john', approved('x')), isCode('USERS_UNWRITABLE'))
  assert.deepEqual(store.names(), [], 'nothing was written')
})

const isCode = (code: string) => (error: unknown) =>
  error instanceof AppError && error.code === code

test('a group taken away in the file is gone from the profile after the reload (advisory 3)', async (t) => {
  const store = makeStore(t, `users:\n${user('john', DIGEST, '    groups: [admins, dev]\n')}`)
  const { users } = await openStore(t, store)
  store.write(`users:\n${user('john', DIGEST, '    groups: [dev]\n')}`)
  await users.reload()
  const profile = await users.profile('john')
  assert.deepEqual(profile?.groups, ['dev'])
})

test('profile answers at once, without a promise', async (t) => {
  const { users } = await openStore(t, makeStore(t, `users:\n${user('john')}`))
  const profile = users.profile('john')
  assert.ok(!(profile instanceof Promise))
  assert.equal(profile?.name, 'john')
})

test('who is disabled, deleted or given another password while it is hashed is not let in', async (t) => {
  const real = cheapPasswords()
  let during = (): Promise<unknown> => Promise.resolve()
  const passwords: Passwords = {
    ...real,
    async verify(digest, password, client) {
      const matches = await real.verify(digest, password, client)
      await during()
      return matches
    },
  }
  const given = `users:\n${user('john')}`
  const store = makeStore(t, given)
  const { users } = await openStore(t, store, { passwords })
  const attempt = async (changed: string) => {
    during = async () => {
      store.write(changed)
      await users.reload()
    }
    const answer = await users.authenticate('john', 'password', CLIENT)
    store.write(given)
    await users.reload()
    return answer.kind === 'refused' ? answer.reason : answer.kind
  }
  assert.equal(await attempt(`users:\n${user('john', DIGEST, '    disabled: true\n')}`), 'disabled')
  assert.equal(await attempt(`users:\n${user('bob')}`), 'unknown')
  assert.equal(await attempt(`users:\n${user('john', OTHER_DIGEST)}`), 'password')
  assert.equal(await attempt(`users:\n${user('john', DIGEST, '    groups: [dev]\n')}`), 'accepted')
})

test('unknown and disabled users cost one hash, as known ones do', async (t) => {
  const real = cheapPasswords()
  const hashed: string[] = []
  const passwords: Passwords = {
    ...real,
    verify(...given) {
      hashed.push('verify')
      return real.verify(...given)
    },
    burn(...given) {
      hashed.push('burn')
      return real.burn(...given)
    },
  }
  const text = `users:\n${user('john')}${user('gone', DIGEST, '    disabled: true\n')}`
  const { users } = await openStore(t, makeStore(t, text), { passwords })
  for (const [login, password, work] of [
    ['john', 'password', 'verify'],
    ['john', 'wrong', 'verify'],
    ['john', '', 'verify'],
    ['john', 'x'.repeat(5000), 'verify'],
    ['gone', 'password', 'burn'],
    ['nobody', 'password', 'burn'],
    ['', '', 'burn'],
    ['x'.repeat(5000), 'password', 'burn'],
  ] as const) {
    await users.authenticate(login, password, CLIENT)
    assert.deepEqual(hashed.splice(0), [work], login)
  }
})

test('names are exact by default, and in any case when the configuration says so', async (t) => {
  const store = makeStore(t, `users:\n${user('bob')}${user('josé')}`)
  const who = async (caseInsensitive: boolean, login: string) => {
    const { users } = await openStore(t, store, { search: { email: false, caseInsensitive } })
    const answer = await users.authenticate(login, 'password', CLIENT)
    return answer.kind === 'accepted' ? answer.profile.name : `(${answer.reason})`
  }
  for (const login of ['Bob', 'BOB', ' bob ', 'bob ', 'bob\n'])
    assert.equal(await who(false, login), '(unknown)', JSON.stringify(login))
  for (const login of ['Bob', 'BOB', 'bob']) assert.equal(await who(true, login), 'bob')
  assert.equal(await who(true, ' bob '), '(unknown)')
  assert.equal(await who(false, 'jose\u0301'), 'josé', 'one é, however the keyboard writes it')
  assert.equal(await who(true, 'JOSE\u0301'), 'josé')
})

test('a mail address is a login, in any case, when the configuration says so', async (t) => {
  const store = makeStore(t, `users:\n${user('bob', DIGEST, '    email: Bob@Example.com\n')}`)
  const kind = async (email: boolean, login: string) => {
    const { users } = await openStore(t, store, { search: { email, caseInsensitive: false } })
    return (await users.authenticate(login, 'password', CLIENT)).kind
  }
  assert.equal(await kind(false, 'Bob@Example.com'), 'refused')
  assert.equal(await kind(true, 'bob@example.COM'), 'accepted')
  assert.equal(await kind(true, 'bob@example.com.evil.test'), 'refused')
})

test('an edit by hand that was not read yet is neither lost nor undone by a new password', async (t) => {
  const store = makeStore(t, `users:\n${user('john')}${user('bob')}`)
  const { users } = await openStore(t, store)
  store.write(`# by hand\nusers:\n${user('carol')}${user('john', DIGEST, '    groups: [dev]\n')}`)
  const removed: string[] = []
  users.onInvalidated((names) => removed.push(...names))
  await users.setPassword('john', approved('new'))
  assert.match(store.read(), /^# by hand\nusers:\n {2}carol:/)
  const profiles = [users.profile('carol'), users.profile('bob'), users.profile('john')]
  const [carol, bob, john] = await Promise.all(profiles)
  assert.equal(carol?.name, 'carol')
  assert.equal(bob, undefined)
  assert.deepEqual(john?.groups, ['dev'])
  assert.deepEqual(removed.sort(), ['bob', 'john'])
  store.write(`users:\n${user('carol')}`)
  await assert.rejects(users.setPassword('john', approved('newer')), isCode('USER_UNKNOWN'))
})

test('a file with a fault is not written to', async (t) => {
  const store = makeStore(t, `users:\n${user('john')}`)
  const { users } = await openStore(t, store)
  const wrong = `users:\n${user('john')}  bob: {}\n`
  store.write(wrong)
  await assert.rejects(users.setPassword('john', approved('new')), isCode('USERS_UNWRITABLE'))
  await assert.rejects(
    users.add('eve', { displayName: 'E', groups: [], password: approved('x') }),
    isCode('USERS_UNWRITABLE'),
  )
  assert.equal(store.read(), wrong)
  assert.equal((await users.authenticate('john', 'password', CLIENT)).kind, 'accepted')
})

test('a password that several users share is not changed for one of them', async (t) => {
  const shared = `users:\n  john:\n    displayname: J\n    password: &p "${DIGEST}"\n  bob:\n    displayname: B\n    password: *p\n`
  const store = makeStore(t, shared)
  const { users } = await openStore(t, store)
  await assert.rejects(users.setPassword('john', approved('new')), isCode('USERS_UNWRITABLE'))
  assert.equal(store.read(), shared)
  await users.setPassword('bob', approved('new'))
  assert.equal((await users.authenticate('john', 'password', CLIENT)).kind, 'accepted')
  assert.equal((await users.authenticate('bob', 'new', CLIENT)).kind, 'accepted')
})

test('a wrong file, or a directory that is not there, is refused at the start with everything that is wrong', async (t) => {
  const store = makeStore(t, 'users:\n  john: {}\n  bob:\n    groups: admins\n')
  await assert.rejects(openStore(t, store), (error) => {
    assert.ok(error instanceof OperatorError)
    assert.equal(error.message.match(/users\.yml:\d+:\d+/g)?.length, 5)
    return true
  })
  const nowhere = { path: `${store.directory}/not/there/users.yml` }
  await assert.rejects(openStore(t, nowhere), OperatorError)
})

test('a first start finds no users file, or an empty one, and makes one', async (t) => {
  for (const text of [undefined, '', '\n', '# nobody yet\n', 'users:\n', 'users: {}\n']) {
    const store = makeStore(t, text)
    const { users } = await openStore(t, store)
    assert.equal(users.isEmpty(), true)
    await users.add('admin', {
      displayName: 'Administrator',
      groups: ['a', 'b'],
      password: approved('x'),
    })
    const again = await openStore(t, store)
    assert.equal(again.users.isEmpty(), false)
    assert.equal((await again.users.authenticate('admin', 'x', CLIENT)).kind, 'accepted')
  }
})

test('the costliest digest of the store is known', async (t) => {
  const dear = DIGEST.replace('m=8,t=1', 'm=64,t=2')
  const text = `users:\n${user('john')}${user('bob', dear)}${user('eve', SECRET_DIGEST)}`
  const { users } = await openStore(t, makeStore(t, text))
  assert.equal(users.costliest()?.weight, 128)
  const empty = await openStore(t, makeStore(t, undefined))
  assert.equal(empty.users.costliest(), undefined)
})

test('users.example.yml is read, without a warning, and its passwords are those it names', async (t) => {
  const text = readFileSync(new URL('../../users.example.yml', import.meta.url), 'utf8')
  const { users, lines } = await openStore(t, makeStore(t, text))
  assert.deepEqual(lines, [])
  for (const name of ['alice', 'bob']) {
    assert.match(text, new RegExp(`: example-${name}\\b`))
    const answer = await users.authenticate(name, `example-${name}`, CLIENT)
    assert.equal(answer.kind, 'accepted', name)
  }
})
