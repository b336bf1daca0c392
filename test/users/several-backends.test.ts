import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { z } from 'zod'
import type { Passwords } from '../../src/features/passwords/index.ts'
import { createAuthenticate } from '../../src/features/users/authenticate.ts'
import type { UserBackend } from '../../src/features/users/backend.ts'
import { defineBackend } from '../../src/features/users/definition.ts'
import type { PasswordMarks } from '../../src/features/users/index.ts'
import { combineUsers } from '../../src/features/users/users.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { openStorage } from '../../src/storage/index.ts'
import { bob, CLIENT, isRefused, john } from '../conformance/user-case.ts'
import { approved } from '../support/approved.ts'
import { createBindBackend, createDigestBackend } from './memory-backend.ts'
import { cheapPasswords, DIGEST, keptLog, SECRET_DIGEST } from './store.ts'

/** Users of a local backend, which comes first and has digests, and of a remote one, which checks passwords itself. */
function open(
  t: TestContext,
  {
    passwords = {},
    marks,
    change = (backend) => backend,
  }: {
    readonly passwords?: Partial<Passwords>
    readonly marks?: PasswordMarks
    /** What is different about the remote backend. */
    readonly change?: (backend: UserBackend) => UserBackend
  } = {},
) {
  const local = createDigestBackend('local')
  const remote = createBindBackend('remote')
  local.replaceAll([[john, DIGEST]]) // of `password`
  remote.replaceAll([
    [{ ...john, displayName: 'Remote John' }, 'remote password'],
    [bob, 'remote password'],
  ])
  const users = combineUsers([local.backend, change(remote.backend)], {
    passwords: { ...cheapPasswords(), ...passwords },
    ...(marks !== undefined && { marks }),
    log: keptLog().log,
  })
  t.after(() => users.close())
  const told: string[] = []
  users.onInvalidated((names) => told.push(...names))
  const sign = async (login: string, password: string): Promise<string> => {
    const answer = await users.authenticate(login, password, CLIENT)
    return answer.kind === 'accepted' ? answer.profile.displayName : answer.reason
  }
  return { users, local, remote, told, sign }
}

test('a name is the user of the first backend that has it, and of the next one where it has not', async (t) => {
  const { users, sign } = open(t)
  assert.equal((await users.profile('john'))?.displayName, 'John Doe')
  assert.equal((await users.profile('bob'))?.displayName, 'Bob')
  assert.equal(await users.profile('nobody'), undefined)
  assert.equal(await sign('john', 'password'), 'John Doe')
  assert.equal(await sign('john', 'remote password'), 'password')
  assert.equal(await sign('bob', 'remote password'), 'Bob')
  assert.equal(await sign('bob', 'password'), 'password')
  assert.equal(await sign('nobody', 'password'), 'unknown')
})

test('a user who is disabled in one backend does not come back by the next', async (t) => {
  const { users, local, sign, told } = open(t)
  local.replaceAll([[{ ...john, disabled: true }, DIGEST]])
  assert.deepEqual(told, ['john'])
  assert.equal(await users.profile('john'), undefined)
  assert.equal(await sign('john', 'remote password'), 'disabled')
  assert.equal(await sign('john', 'password'), 'disabled')
})

test('sessions of a name end when another backend takes it over', async (t) => {
  const { users, local, told } = open(t)
  local.replaceAll([
    [john, DIGEST],
    [{ ...bob, displayName: 'Local Bob' }, DIGEST],
  ])
  assert.deepEqual(told.splice(0), ['bob'], 'until now that was the remote one')
  assert.equal((await users.profile('bob'))?.displayName, 'Local Bob')
  await users.remove('john')
  assert.deepEqual(told, ['john'])
  assert.equal((await users.profile('john'))?.displayName, 'Remote John')
})

test('who moves to another backend while the password is checked is not let in', async (t) => {
  const real = cheapPasswords()
  const later: { move?: () => void } = {}
  const { local, sign } = open(t, {
    passwords: {
      async verify(...given) {
        const matches = await real.verify(...given)
        later.move?.()
        return matches
      },
    },
  })
  later.move = () =>
    local.replaceAll([
      [john, DIGEST],
      [bob, SECRET_DIGEST],
    ])
  assert.equal(await sign('bob', 'remote password'), 'password')
})

test('every attempt is one check, whichever backend has the user and whether there is one', async (t) => {
  const real = cheapPasswords()
  const work: string[] = []
  const { sign, users, local } = open(t, {
    passwords: {
      verify(verifier, ...given) {
        work.push(verifier.scheme)
        return real.verify(verifier, ...given)
      },
      burn(...given) {
        work.push('burn')
        return real.burn(...given)
      },
    },
  })
  await sign('john', 'password')
  await sign('bob', 'remote password')
  await sign('bob', 'wrong')
  await sign('nobody', 'password')
  local.replaceAll([[{ ...john, disabled: true }, DIGEST]])
  await sign('john', 'password')
  assert.deepEqual(work, ['argon2', 'bind', 'bind', 'burn', 'burn'])
  local.replaceAll([[john, DIGEST]])
  assert.equal(users.costliest()?.weight, 8)
})

test('all backends are asked for a login, whichever has it', async (t) => {
  const asked: string[] = []
  const { sign } = open(t, {
    change: (backend) => ({
      ...backend,
      byLogin(login, signal) {
        asked.push(login)
        return backend.byLogin(login, signal)
      },
    }),
  })
  for (const login of ['john', 'bob', 'nobody']) await sign(login, 'password')
  assert.deepEqual(asked, ['john', 'bob', 'nobody'])
})

test('while a backend does not answer, users of earlier ones sign in, and no other is taken for unknown', async (t) => {
  const { users, sign } = open(t, {
    change: (backend) => ({
      ...backend,
      byLogin: () => Promise.reject(new AppError('STORE_UNAVAILABLE')),
    }),
  })
  assert.equal(await sign('john', 'password'), 'John Doe')
  for (const login of ['bob', 'nobody'])
    await assert.rejects(
      users.authenticate(login, 'password', CLIENT),
      isRefused('STORE_UNAVAILABLE'),
    )
})

test('a backend never sees an empty or oversized password', async (t) => {
  const seen: string[] = []
  const spied = async (backend: UserBackend, login: string, signal: AbortSignal) => {
    const account = await backend.byLogin(login, signal)
    if (account?.kind !== 'bind') return account
    return {
      ...account,
      bind(password: string, until: AbortSignal) {
        seen.push(password)
        return account.bind(password, until)
      },
    }
  }
  const { sign } = open(t, {
    change: (backend) => ({
      ...backend,
      byLogin: (login, signal) => spied(backend, login, signal),
    }),
  })
  for (const password of ['', 'x'.repeat(2000), 'mine'])
    assert.equal(await sign('bob', password), 'password')
  assert.equal(
    seen.every((password) => password.length > 0 && password.length < 10),
    true,
  )
  assert.equal(seen.includes('mine'), true)
})

test('a change goes to the backend that has the user, and a new user to the first that takes one', async (t) => {
  const { users, sign } = open(t)
  await users.setPassword('bob', approved('changed remotely'))
  await users.setPassword('john', approved('changed here'))
  assert.equal(await sign('bob', 'changed remotely'), 'Bob')
  assert.equal(await sign('john', 'changed here'), 'John Doe')
  const user = { displayName: 'Eve', groups: [], password: approved('password of eve') }
  await users.add('eve', user)
  assert.equal(await sign('eve', 'password of eve'), 'Eve')
  await assert.rejects(users.add('bob', user), isRefused('USER_EXISTS'))
  await assert.rejects(users.change('bob', { groups: [] }), isRefused('USERS_UNWRITABLE'))
  await assert.rejects(users.remove('bob'), isRefused('USERS_UNWRITABLE'))
  await assert.rejects(users.setPassword('nobody', approved('x')), isRefused('USER_UNKNOWN'))
})

test('marks are those of the users in force, and names are listed only when all can be', async (t) => {
  const { users, local } = open(t)
  assert.deepEqual(
    [...users.marks()].map(([name]) => name),
    ['john'],
  )
  assert.equal(users.marks().get('bob'), undefined)
  assert.deepEqual([...users.directory().names], [], 'no rule names unknown users then')
  const alone = combineUsers([local.backend], {
    passwords: cheapPasswords(),
    log: keptLog().log,
  })
  assert.deepEqual([...alone.directory().names], ['john'])
})

test('a backend that finds or checks for ever is given up: no answer is neither yes nor no', async () => {
  const { backend, replaceAll } = createBindBackend()
  replaceAll([[bob, 'remote password']])
  const aborted: string[] = []
  const forEver = (what: string, signal: AbortSignal) => {
    signal.addEventListener('abort', () => aborted.push(what))
    return new Promise<never>(() => {})
  }
  const finding: UserBackend = { ...backend, byLogin: (_, signal) => forEver('find', signal) }
  const checking: UserBackend = {
    ...backend,
    async byLogin(login) {
      const account = await backend.byLogin(login)
      if (account?.kind !== 'bind') return account
      return { ...account, bind: (_, signal) => forEver('bind', signal) }
    },
  }
  for (const one of [finding, checking]) {
    const authenticate = createAuthenticate({
      backends: [one],
      lookUp: () => assert.fail('there is nothing to look up'),
      passwords: cheapPasswords(),
      rehash: undefined,
      clock: systemClock,
      answerWithin: 20,
    })
    await assert.rejects(authenticate('bob', 'password', CLIENT), isRefused('STORE_UNAVAILABLE'))
  }
  assert.deepEqual(aborted, ['find', 'bind'])
})

test('a backend is opened with its own part of the configuration, and only when that is there', async (t) => {
  const storage = await openStorage({ path: ':memory:', migrations: {}, log: { info() {} } })
  t.after(() => storage.close())
  const { backend } = createBindBackend()
  const opened: string[] = []
  const ldap = defineBackend({
    key: 'authentication_backend.ldap',
    schema: z.strictObject({ address: z.string() }).optional(),
    async open(part) {
      opened.push(part.address)
      return backend
    },
  })
  const tools = {
    place: { resolve: (path: string) => path, inDataDirectory: (name: string) => name },
    separator: ',',
    storage,
    clock: systemClock,
    log: keptLog().log,
  }
  assert.equal(await ldap.open({ 'authentication_backend.file': {} }, tools), undefined)
  const part = { address: 'ldap://127.0.0.1' }
  assert.equal(await ldap.open({ [ldap.key]: part }, tools), backend)
  assert.deepEqual(opened, ['ldap://127.0.0.1'])
})
