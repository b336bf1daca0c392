import assert from 'node:assert/strict'
import { describe, type TestContext, test } from 'node:test'
import type { AttemptLimiter, Users } from '../../src/features/users/index.ts'
import { AppError } from '../../src/kernel/errors.ts'

/** A user as a test wants it to be in the store before it is opened. */
export interface GivenUser {
  readonly name: string
  readonly displayName: string
  readonly email: string
  readonly groups: readonly string[]
  readonly password: string
  readonly disabled?: boolean
}

export interface UserBackendCase {
  readonly users: Users
  /** Somebody else changes the store, as an administrator's editor would; in force when it resolves. */
  replaceAll(given: readonly GivenUser[]): Promise<void>
}

const CLIENT = '192.0.2.1'
const john: GivenUser = {
  name: 'john',
  displayName: 'John Doe',
  email: 'john.doe@example.com',
  groups: ['admins', 'dev'],
  password: 'correct horse',
}
const bob: GivenUser = { ...john, name: 'bob', displayName: 'Bob', email: '', groups: [] }
const gone: GivenUser = { ...bob, name: 'gone', displayName: 'Gone', disabled: true }

/** What every backend of src/features/users/backends must do. */
export function userBackendConformance(
  name: string,
  open: (t: TestContext, given: readonly GivenUser[]) => Promise<UserBackendCase>,
): void {
  const isRefused = (code: string) => (error: unknown) =>
    error instanceof AppError && error.code === code

  describe(`user backend ${name}`, () => {
    test('a user of the store is known by name, with display name, mail and groups', async (t) => {
      const { users } = await open(t, [john, bob])
      const profile = await users.profile('john')
      assert.deepEqual(
        { ...profile },
        {
          name: 'john',
          displayName: 'John Doe',
          email: 'john.doe@example.com',
          groups: ['admins', 'dev'],
        },
      )
      assert.equal((await users.profile('bob'))?.email, '')
      assert.deepEqual((await users.profile('bob'))?.groups, [])
      assert.equal(users.isEmpty(), false)
    })

    test('a limiter is asked by canonical name before the password is looked at, and told once what it was', async (t) => {
      const { users } = await open(t, [john, gone])
      const told: unknown[] = []
      const limiter = (admitted: boolean): AttemptLimiter => ({
        place: (one, spelling) => ({ alone: [one, spelling] }),
        async admit(one) {
          told.push(one)
          return admitted
        },
        async settle(right) {
          told.push(right)
        },
      })
      const kind = async (login: string, password: string, admitted = true) =>
        (await users.authenticate(login, password, CLIENT, limiter(admitted))).kind
      assert.equal(await kind('john', john.password), 'accepted')
      assert.equal(await kind('john', 'wrong'), 'refused')
      assert.equal(await kind('john', john.password, false), 'refused', 'whatever the password is')
      assert.equal(await kind('gone', gone.password), 'refused')
      assert.equal(await kind('nobody', john.password), 'refused')
      assert.deepEqual(told, ['john', true, 'john', false, 'john', false, 'gone', false, '', false])
    })

    test('an attempt that a limiter refuses with an error ends with it, unchecked', async (t) => {
      const { users } = await open(t, [john])
      const limiter: AttemptLimiter = {
        place: () => ({}),
        admit: () => Promise.reject(new AppError('SIGN_IN_LIMITED')),
        settle: () => assert.fail('there is nothing to settle'),
      }
      for (const login of ['john', 'nobody'])
        await assert.rejects(
          users.authenticate(login, john.password, CLIENT, limiter),
          isRefused('SIGN_IN_LIMITED'),
        )
    })

    test('nobody else is known: other names, disabled users, names that objects inherit', async (t) => {
      const { users } = await open(t, [john, gone])
      for (const other of ['', 'gone', 'nobody', 'john ', 'JOHN', '__proto__', 'constructor'])
        assert.equal(await users.profile(other), undefined, other)
    })

    test('the right password is accepted with the profile itself', async (t) => {
      const { users } = await open(t, [john, bob])
      const answer = await users.authenticate('john', 'correct horse', CLIENT)
      assert.ok(answer.kind === 'accepted')
      assert.equal(answer.profile, await users.profile('john'))
    })

    test('a wrong, empty or oversized password, an unknown and a disabled user are refused', async (t) => {
      const { users } = await open(t, [john, gone])
      const cases = [
        ['john', 'wrong', 'john', 'password'],
        ['john', 'correct horse ', 'john', 'password'],
        ['john', '', 'john', 'password'],
        ['john', 'x'.repeat(100_000), 'john', 'password'],
        ['gone', 'correct horse', 'gone', 'disabled'],
        ['gone', 'wrong', 'gone', 'disabled'],
        ['nobody', 'correct horse', '', 'unknown'],
        ['', 'correct horse', '', 'unknown'],
        ['', '', '', 'unknown'],
        ['x'.repeat(100_000), 'correct horse', '', 'unknown'],
        ['__proto__', 'correct horse', '', 'unknown'],
      ] as const
      for (const [login, password, canonical, reason] of cases) {
        const answer = await users.authenticate(login, password, CLIENT)
        const expected = { kind: 'refused', name: canonical, reason }
        assert.deepEqual(answer, expected, `${login.slice(0, 20)} ${password.slice(0, 20)}`)
      }
    })

    test('another spelling of a name is the canonical user or nobody, never a third', async (t) => {
      const { users } = await open(t, [john, bob])
      for (const login of ['Bob', 'BOB', ' bob ', 'bob\t', 'bob\0', 'bo\u200bb', 'ｂｏｂ']) {
        const answer = await users.authenticate(login, 'correct horse', CLIENT)
        if (answer.kind === 'accepted') assert.equal(answer.profile.name, 'bob')
        else assert.ok(answer.name === '' || answer.name === 'bob')
      }
    })

    test('a changed password counts at once, the old one no more, for this user alone', async (t) => {
      const { users } = await open(t, [john, bob])
      await users.setPassword('john', 'new password')
      const kinds = async (login: string) => [
        (await users.authenticate(login, 'correct horse', CLIENT)).kind,
        (await users.authenticate(login, 'new password', CLIENT)).kind,
      ]
      assert.deepEqual(await kinds('john'), ['refused', 'accepted'])
      assert.deepEqual(await kinds('bob'), ['accepted', 'refused'])
    })

    test('passwords of nobody, and passwords that cannot be, are not set', async (t) => {
      const { users } = await open(t, [john])
      await assert.rejects(users.setPassword('nobody', 'password'), isRefused('USER_UNKNOWN'))
      await assert.rejects(users.setPassword('john', ''), isRefused('PASSWORD_UNUSABLE'))
      const long = 'x'.repeat(1025)
      await assert.rejects(users.setPassword('john', long), isRefused('PASSWORD_UNUSABLE'))
      assert.equal((await users.authenticate('john', 'correct horse', CLIENT)).kind, 'accepted')
    })

    test('a user can be added to an empty store, and only once', async (t) => {
      const { users } = await open(t, [])
      assert.equal(users.isEmpty(), true)
      const admin = { displayName: 'Admin', groups: ['staff'], password: 'first password' }
      await users.add('admin', admin)
      assert.equal(users.isEmpty(), false)
      const answer = await users.authenticate('admin', 'first password', CLIENT)
      assert.ok(answer.kind === 'accepted')
      assert.deepEqual(answer.profile.groups, ['staff'])
      await assert.rejects(users.add('admin', admin), isRefused('USER_EXISTS'))
      const both = await Promise.allSettled(
        ['one', 'two'].map((password) => users.add('carol', { ...admin, password })),
      )
      const lost = both.filter((settled) => settled.status === 'rejected')
      assert.deepEqual(
        lost.map(({ reason }) => isRefused('USER_EXISTS')(reason)),
        [true],
      )
    })

    test('a name that cannot be one is not added', async (t) => {
      const { users } = await open(t, [john])
      const user = { displayName: 'X', groups: [], password: 'password' }
      for (const bad of ['', ' x', 'x\n', 'a\0b', 'x'.repeat(300)])
        await assert.rejects(users.add(bad, user), isRefused('BODY_INVALID'), bad)
      assert.equal((await users.authenticate('john', 'correct horse', CLIENT)).kind, 'accepted')
    })

    test('changes at the same time all happen', async (t) => {
      const { users } = await open(t, [john, bob])
      await Promise.all([
        users.setPassword('john', 'password of john'),
        users.add('carol', { displayName: 'C', groups: [], password: 'password of carol' }),
        users.setPassword('bob', 'password of bob'),
      ])
      for (const login of ['john', 'bob', 'carol']) {
        const answer = await users.authenticate(login, `password of ${login}`, CLIENT)
        assert.equal(answer.kind, 'accepted', login)
      }
    })

    test('a profile stays the same object while its user stays the same, and only then', async (t) => {
      const { users, replaceAll } = await open(t, [john, bob])
      const [first, other] = [await users.profile('john'), await users.profile('bob')]
      await replaceAll([{ ...bob, groups: ['dev'] }, john])
      assert.equal(await users.profile('john'), first)
      assert.notEqual(await users.profile('bob'), other)
      assert.deepEqual((await users.profile('bob'))?.groups, ['dev'])
      await users.setPassword('john', 'new password')
      assert.notEqual(await users.profile('john'), first)
    })

    test('who is deleted, disabled or given a new password is reported, and nobody else', async (t) => {
      const { users, replaceAll } = await open(t, [john, bob, { ...bob, name: 'eve' }, gone])
      const removed: string[] = []
      users.onInvalidated((names) => removed.push(...names))
      await replaceAll([john, { ...bob, groups: ['dev'] }, { ...bob, name: 'eve', disabled: true }])
      assert.deepEqual(removed.splice(0), ['eve'])
      assert.equal(await users.profile('eve'), undefined)
      await replaceAll([{ ...john, password: 'another' }])
      assert.deepEqual(removed.splice(0).sort(), ['bob', 'john'])
      await users.setPassword('john', 'a third')
      assert.deepEqual(removed.splice(0), ['john'])
    })

    test('it closes', async (t) => {
      const { users } = await open(t, [john])
      await users.close()
    })
  })
}
