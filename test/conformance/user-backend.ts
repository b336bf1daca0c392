import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { AttemptLimiter } from '../../src/features/users/index.ts'
import { combineUsers } from '../../src/features/users/users.ts'
import type { EpochMs } from '../../src/kernel/clock.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { FakeClock } from '../support/clock.ts'
import { cheapPasswords, keptLog } from '../users/store.ts'
import {
  bob,
  CAPABILITIES,
  type Capability,
  CLIENT,
  gone,
  isRefused,
  john,
  type OpenBackend,
  type OpenUsers,
} from './user-case.ts'
import { userChangesConformance } from './user-changes.ts'

/**
 * What every backend of src/features/users/backends must do, under the one `authenticate` above them.
 * @param may what this one offers beside that: no more and no less, and each has its own tests
 */
export function userBackendConformance(
  name: string,
  openBackend: OpenBackend,
  may: readonly Capability[],
): void {
  const open: OpenUsers = async (t, given) => {
    const opened = await openBackend(t, given)
    const { log } = keptLog()
    const clock = new FakeClock()
    const users = combineUsers([opened.backend], { passwords: cheapPasswords(), clock, log })
    t.after(() => users.close())
    return { ...opened, users, clock }
  }

  describe(`user backend ${name}`, () => {
    test('it offers what it says', async (t) => {
      const { backend } = await open(t, [john])
      const offered = CAPABILITIES.filter((capability) => backend[capability] !== undefined)
      assert.deepEqual(offered, may)
    })

    lookupConformance(open)
    searchConformance(open)
    expiryConformance(open)
    signInConformance(open)
  })
  userChangesConformance(name, open, may)
}

function lookupConformance(open: OpenUsers): void {
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

  test('no other name is known: other names, disabled users, names that objects inherit', async (t) => {
    const { users } = await open(t, [john, gone])
    for (const other of ['', 'gone', 'nobody', 'john ', 'JOHN', '__proto__', 'constructor'])
      assert.equal(await users.profile(other), undefined, other)
  })

  test('a profile stays the same object while its user stays the same, and only then', async (t) => {
    const { users, replaceAll } = await open(t, [john, bob])
    const [first, other] = [await users.profile('john'), await users.profile('bob')]
    await replaceAll([{ ...bob, groups: ['dev'] }, john])
    assert.equal(await users.profile('john'), first)
    assert.notEqual(await users.profile('bob'), other)
    assert.deepEqual((await users.profile('bob'))?.groups, ['dev'])
    await replaceAll([{ ...john, password: 'new password' }, bob])
    assert.notEqual(await users.profile('john'), first)
  })

  test('who is deleted, disabled or given a new password is reported, and no other', async (t) => {
    const { users, replaceAll } = await open(t, [john, bob, { ...bob, name: 'eve' }, gone])
    const removed: string[] = []
    users.onInvalidated((names) => removed.push(...names))
    await replaceAll([john, { ...bob, groups: ['dev'] }, { ...bob, name: 'eve', disabled: true }])
    assert.deepEqual(removed.splice(0), ['eve'])
    assert.equal(await users.profile('eve'), undefined)
    await replaceAll([{ ...john, password: 'another' }])
    assert.deepEqual(removed.splice(0).sort(), ['bob', 'john'])
  })

  test('all users are listed, disabled ones too, and who is new is told', async (t) => {
    const { backend, replaceAll } = await open(t, [john, gone])
    const listed = async () => {
      const names: string[] = []
      for await (const { profile, disabled } of backend.list())
        names.push(disabled ? `(${profile.name})` : profile.name)
      // A case may have more users than it was given.
      return names.filter((name) => /john|bob|gone/.test(name)).sort()
    }
    assert.deepEqual(await listed(), ['(gone)', 'john'])
    const added: string[] = []
    backend.onChange((change) => added.push(...change.added))
    await replaceAll([john, gone, bob])
    assert.deepEqual(added, ['bob'])
    assert.deepEqual(await listed(), ['(gone)', 'bob', 'john'])
  })

  test('a user with a digest has a mark of the password, which changes with it', async (t) => {
    const { users, backend, replaceAll } = await open(t, [john, gone])
    const isDigest = (await backend.byName('john'))?.kind === 'digest'
    assert.equal((backend.costliest()?.weight ?? 0) > 0, isDigest)
    // They are for backends that have their users in memory.
    if (Symbol.asyncIterator in backend.list()) return assert.deepEqual([...users.marks()], [])
    const before = users.marks().get('john')
    assert.match(before ?? '', /^[\w-]{22}$/)
    assert.deepEqual(
      [...users.marks()].filter(([name]) => /john|gone/.test(name)),
      [['john', before]],
    )
    await replaceAll([{ ...john, groups: [] }, gone])
    assert.equal(users.marks().get('john'), before)
    await replaceAll([{ ...john, password: 'another' }, gone])
    assert.notEqual(users.marks().get('john'), before)
  })

  test('it closes', async (t) => {
    const { users } = await open(t, [john])
    await users.close()
  })
}

function searchConformance(open: OpenUsers): void {
  test('users are searched by the beginnings of words of name, display name and mail', async (t) => {
    const ann = { ...bob, name: 'ann', displayName: 'Ännchen van Bürg', email: 'ann@sales.example' }
    const { users, isOther = () => false } = await open(t, [john, bob, gone, ann])
    const names = async (search: string, more = {}) =>
      (await users.search({ search, limit: 1000, ...more }))
        .map(({ account }) => account.profile.name)
        .filter((name) => !isOther(name))
    assert.deepEqual(await names(''), ['ann', 'bob', 'gone', 'john'])
    for (const search of ['än', 'ÄNNCHEN BÜR', 'sales', 'ann@sales.ex', ' van  ann '])
      assert.deepEqual(await names(search), ['ann'], search)
    assert.deepEqual(await names('john.doe@example.com'), ['john'])
    for (const search of ['nnchen', 'ann%', '_nn', 'ann doe', '"', "'"])
      assert.deepEqual(await names(search), [], search)
    assert.deepEqual(await names('', { group: 'dev' }), ['john'])
    assert.deepEqual(await names('', { disabled: true }), ['gone'])
    assert.deepEqual(await names('go', { disabled: false }), [])
  })

  test('users are searched page by page, in the order of their characters', async (t) => {
    const some = ['Zoe', 'adam', 'bea', 'zoe', 'émile'].map((name) => ({ ...bob, name }))
    const { users, isOther = () => false } = await open(t, some)
    const found: string[] = []
    for (let after: string | undefined; ; after = found.at(-1)) {
      const page = await users.search({ limit: 2, after })
      found.push(...page.map(({ account }) => account.profile.name))
      if (page.length < 2) break
    }
    const given = found.filter((name) => !isOther(name))
    assert.deepEqual(given, ['Zoe', 'adam', 'bea', 'zoe', 'émile'])
  })
}

function expiryConformance(open: OpenUsers): void {
  test('a user whose time is over is as one who is disabled', async (t) => {
    const { users, clock } = await open(t, [john])
    const { backend } = (await users.account('john')) ?? {}
    if (backend?.editing === undefined) return
    const expiresAt = (clock.now() + 60_000) as EpochMs
    await users.change('john', { expiresAt })
    assert.equal((await users.profile('john'))?.expiresAt, expiresAt)
    clock.advance(59_999)
    assert.equal((await users.authenticate('john', john.password, CLIENT)).kind, 'accepted')
    clock.advance(1)
    assert.equal(await users.profile('john'), undefined)
    const answer = await users.authenticate('john', john.password, CLIENT)
    assert.deepEqual(answer, { kind: 'refused', name: 'john', reason: 'disabled' })
    await users.change('john', { expiresAt: null })
    assert.equal((await users.profile('john'))?.name, 'john')
  })
}

function signInConformance(open: OpenUsers): void {
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

  test('another spelling of a name is the canonical user or none, never a third', async (t) => {
    const { users } = await open(t, [john, bob])
    for (const login of ['Bob', 'BOB', ' bob ', 'bob\t', 'bob\0', 'bo\u200bb', 'ｂｏｂ']) {
      const answer = await users.authenticate(login, 'correct horse', CLIENT)
      if (answer.kind === 'accepted') assert.equal(answer.profile.name, 'bob')
      else assert.ok(answer.name === '' || answer.name === 'bob')
    }
  })
}
