import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { Users } from '../../src/features/users/index.ts'
import type { EpochMs } from '../../src/kernel/clock.ts'
import { approved } from '../support/approved.ts'
import { bob, type Capability, CLIENT, isRefused, john, type OpenUsers } from './user-case.ts'

/** Each capability: what a backend must do that offers it, and what is asked of one that does not. */
const SUITES: readonly (readonly [
  Capability,
  (open: OpenUsers) => void,
  (users: Users) => Promise<void>,
])[] = [
  ['writing', writingConformance, (users) => users.setPassword('john', approved('new password'))],
  [
    'creation',
    creationConformance,
    (users) => users.add('new', { displayName: '', groups: [], password: approved('password') }),
  ],
  ['editing', editingConformance, (users) => users.change('john', { groups: [] })],
  ['removal', removalConformance, (users) => users.remove('john')],
]

export function userChangesConformance(
  name: string,
  open: OpenUsers,
  may: readonly Capability[],
): void {
  for (const [capability, suite, ask] of SUITES) {
    if (may.includes(capability)) {
      describe(`user backend ${name}, ${capability}`, () => suite(open))
      continue
    }
    test(`user backend ${name} refuses what needs ${capability}`, async (t) => {
      const { users } = await open(t, [john])
      await assert.rejects(ask(users), isRefused('USERS_UNWRITABLE'))
      assert.equal((await users.authenticate('john', john.password, CLIENT)).kind, 'accepted')
    })
  }
}

function writingConformance(open: OpenUsers): void {
  test('a changed password counts at once, the old one no more, for this user alone', async (t) => {
    const { users } = await open(t, [john, bob])
    await users.setPassword('john', approved('new password'))
    const kinds = async (login: string) => [
      (await users.authenticate(login, 'correct horse', CLIENT)).kind,
      (await users.authenticate(login, 'new password', CLIENT)).kind,
    ]
    assert.deepEqual(await kinds('john'), ['refused', 'accepted'])
    assert.deepEqual(await kinds('bob'), ['accepted', 'refused'])
  })

  test('passwords of unknown users, and passwords that cannot be, are not set', async (t) => {
    const { users } = await open(t, [john])
    await assert.rejects(
      users.setPassword('nobody', approved('password')),
      isRefused('USER_UNKNOWN'),
    )
    await assert.rejects(users.setPassword('john', approved('')), isRefused('PASSWORD_UNUSABLE'))
    const long = 'x'.repeat(1025)
    await assert.rejects(users.setPassword('john', approved(long)), isRefused('PASSWORD_UNUSABLE'))
    assert.equal((await users.authenticate('john', 'correct horse', CLIENT)).kind, 'accepted')
  })

  test('a changed password is told as one, of this user alone', async (t) => {
    const { users } = await open(t, [john, bob])
    const told: string[] = []
    users.onInvalidated((names) => told.push(...names))
    const before = await users.profile('john')
    await users.setPassword('john', approved('a third'))
    assert.deepEqual(told, ['john'])
    assert.notEqual(await users.profile('john'), before)
  })
}

function passwordStateConformance(open: OpenUsers): void {
  test('a password may have to be changed, and the next one need not', async (t) => {
    const { users } = await open(t, [john])
    await users.setPassword('john', approved('for today'), { mustChange: true })
    const answer = await users.authenticate('john', 'for today', CLIENT)
    assert.ok(answer.kind === 'accepted')
    assert.equal(answer.profile.mustChangePassword, true)
    await users.setPassword('john', approved('of his own'))
    assert.equal((await users.profile('john'))?.mustChangePassword, undefined)
  })
}

function creationConformance(open: OpenUsers): void {
  test('a user is added with all fields, or without a password', async (t) => {
    const { users } = await open(t, [john])
    const expiresAt = Date.UTC(2099, 0, 1) as EpochMs
    const fields = { displayName: 'C "D" \\', email: 'c@example.com', groups: ['a', 'b c'] }
    await users.add('carol', {
      ...{ ...fields, expiresAt, disabled: true, mustChangePassword: true },
      password: undefined,
    })
    const { account } = (await users.account('carol')) ?? {}
    const expected = { name: 'carol', ...fields, expiresAt, mustChangePassword: true }
    assert.deepEqual({ ...account?.profile }, expected)
    assert.equal(account?.disabled, true)
    assert.equal(await users.profile('carol'), undefined)
  })

  test('a user can be added to an empty store, and only once', async (t) => {
    const { users } = await open(t, [])
    assert.equal(users.isEmpty(), true)
    const admin = { displayName: 'Admin', groups: ['staff'], password: approved('first password') }
    await users.add('admin', admin)
    assert.equal(users.isEmpty(), false)
    const answer = await users.authenticate('admin', 'first password', CLIENT)
    assert.ok(answer.kind === 'accepted')
    assert.deepEqual(answer.profile.groups, ['staff'])
    await assert.rejects(users.add('admin', admin), isRefused('USER_EXISTS'))
    const both = await Promise.allSettled(
      ['one', 'two'].map((password) =>
        users.add('carol', { ...admin, password: approved(password) }),
      ),
    )
    const lost = both.filter((settled) => settled.status === 'rejected')
    assert.deepEqual(
      lost.map(({ reason }) => isRefused('USER_EXISTS')(reason)),
      [true],
    )
  })

  test('a name that cannot be one is not added', async (t) => {
    const { users } = await open(t, [john])
    const user = { displayName: 'X', groups: [], password: approved('password') }
    for (const bad of ['', ' x', 'x\n', 'a\0b', 'x'.repeat(300)])
      await assert.rejects(users.add(bad, user), isRefused('BODY_INVALID'), bad)
    assert.equal((await users.authenticate('john', 'correct horse', CLIENT)).kind, 'accepted')
  })

  test('changes at the same time all happen', async (t) => {
    const { users } = await open(t, [john, bob])
    await Promise.all([
      users.setPassword('john', approved('password of john')),
      users.add('carol', { displayName: 'C', groups: [], password: approved('password of carol') }),
      users.setPassword('bob', approved('password of bob')),
    ])
    for (const login of ['john', 'bob', 'carol']) {
      const answer = await users.authenticate(login, `password of ${login}`, CLIENT)
      assert.equal(answer.kind, 'accepted', login)
    }
  })
}

function editingConformance(open: OpenUsers): void {
  conditionConformance(open)
  passwordStateConformance(open)
  test('given fields change, all others stay, and who is disabled is told', async (t) => {
    const { users } = await open(t, [john, bob])
    const told: string[] = []
    users.onInvalidated((names) => told.push(...names))
    await users.change('john', { groups: ['ops'] })
    const { groups, displayName } = (await users.profile('john')) ?? {}
    assert.deepEqual([groups, displayName], [['ops'], john.displayName])
    assert.equal((await users.authenticate('john', john.password, CLIENT)).kind, 'accepted')
    assert.deepEqual(told, [])
    await users.change('john', { disabled: true })
    assert.deepEqual(told, ['john'])
    assert.equal(await users.profile('john'), undefined)
    await assert.rejects(users.change('nobody', { groups: [] }), isRefused('USER_UNKNOWN'))
  })
}

function conditionConformance(open: OpenUsers): void {
  test('what was changed meanwhile is not changed', async (t) => {
    const { users } = await open(t, [john, bob])
    const version = async () => (await users.account('john'))?.account.version
    const first = await version()
    await users.change('bob', { displayName: 'B' })
    assert.equal(await version(), first)
    await users.change('john', { displayName: 'J' }, { version: first })
    assert.notEqual(await version(), first)
    const late = users.change('john', { displayName: 'K' }, { version: first })
    await assert.rejects(late, isRefused('USER_CHANGED'))
    assert.equal((await users.profile('john'))?.displayName, 'J')
    await assert.rejects(users.remove('john', { version: first }), isRefused('USER_CHANGED'))
  })

  test('of two who change the same version at once, one is refused', async (t) => {
    const { users } = await open(t, [john])
    const version = (await users.account('john'))?.account.version
    const done = await Promise.allSettled(
      ['one', 'two'].map((displayName) => users.change('john', { displayName }, { version })),
    )
    const lost = done.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    assert.deepEqual(lost.map(isRefused('USER_CHANGED')), [true])
  })

  test('the last administrator stays, also when two go at once', async (t) => {
    const eve = { ...john, name: 'eve' }
    const { users } = await open(t, [john, eve, { ...bob, groups: ['dev'] }])
    const administrators = ['admins', 'root']
    const gone = await Promise.allSettled(
      ['john', 'eve'].map((name) => users.change(name, { groups: [] }, { administrators })),
    )
    const refused = gone.flatMap((one) => (one.status === 'rejected' ? [one.reason] : []))
    assert.deepEqual(refused.map(isRefused('USER_LAST_ADMINISTRATOR')), [true])
    const last = gone[0]?.status === 'rejected' ? 'john' : 'eve'
    for (const fields of [{ disabled: true }, { expiresAt: 1 as EpochMs }, { groups: ['dev'] }])
      await assert.rejects(
        users.change(last, fields, { administrators }),
        isRefused('USER_LAST_ADMINISTRATOR'),
      )
    const removal = users.remove(last, { administrators })
    await assert.rejects(removal, isRefused('USER_LAST_ADMINISTRATOR'))
    await users.change(last, { groups: ['root'] }, { administrators })
    await users.change('bob', { groups: ['root'] }, { administrators })
    await users.remove(last, { administrators })
  })
}

function removalConformance(open: OpenUsers): void {
  test('a removed user is gone and told, and all others stay', async (t) => {
    const { users } = await open(t, [john, bob])
    const told: string[] = []
    users.onInvalidated((names) => told.push(...names))
    await users.remove('john')
    assert.deepEqual(told, ['john'])
    assert.equal(await users.profile('john'), undefined)
    const answer = await users.authenticate('john', john.password, CLIENT)
    assert.deepEqual(answer, { kind: 'refused', name: '', reason: 'unknown' })
    assert.equal((await users.profile('bob'))?.name, 'bob')
    await assert.rejects(users.remove('john'), isRefused('USER_UNKNOWN'))
  })
}
