import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { combineUsers } from '../../src/features/users/users.ts'
import { migrations } from '../../src/features.ts'
import { OperatorError } from '../../src/kernel/operator-error.ts'
import { openStorage } from '../../src/storage/index.ts'
import { userBackendConformance } from '../conformance/user-backend.ts'
import { bob, CLIENT, isRefused, john } from '../conformance/user-case.ts'
import { approved, asNew } from '../support/approved.ts'
import { databaseCase, openDatabase } from './database-case.ts'
import { cheapPasswords, keptLog } from './store.ts'

async function open(t: TestContext) {
  const storage = await openStorage({ path: ':memory:', migrations, log: { info() {} } })
  t.after(() => storage.close())
  return storage
}

userBackendConformance(
  'database (SQLite)',
  async (t, given) => databaseCase(t, await open(t), given),
  ['writing', 'creation', 'editing', 'removal'],
)

const combine = (t: TestContext, backend: Awaited<ReturnType<typeof openDatabase>>) => {
  const users = combineUsers([backend], { passwords: cheapPasswords(), log: keptLog().log })
  t.after(() => users.close())
  return users
}

test('names and mail addresses are logins of one user alone, as in a users file', async (t) => {
  const storage = await open(t)
  const users = combine(t, await openDatabase(storage, { email: true, caseInsensitive: true }))
  const { name, ...rest } = john
  await users.add(name, asNew(rest))
  const login = async (typed: string) => {
    const answer = await users.authenticate(typed, john.password, CLIENT)
    return answer.kind === 'accepted' ? answer.profile.name : answer.reason
  }
  for (const typed of ['john', 'JOHN', 'John.Doe@Example.com'])
    assert.equal(await login(typed), 'john')
  for (const [other, email] of [
    ['Bob', ''],
    ['bob', 'JOHN.doe@example.com'],
    ['john.doe@example.com', ''],
  ] as const)
    await assert.rejects(
      users.add(other, asNew({ ...bob, email })),
      isRefused('BODY_INVALID'),
      other,
    )
  await users.add('bob', asNew(bob))
  const taken = users.change('bob', { email: john.email })
  await assert.rejects(taken, isRefused('BODY_INVALID'))
})

test('a composed name is one name, however it is typed', async (t) => {
  const users = combine(t, await openDatabase(await open(t)))
  await users.add('jos\u00e9', asNew(bob))
  await assert.rejects(users.add('jose\u0301', asNew(bob)), isRefused('BODY_INVALID'))
  const answer = await users.authenticate('jose\u0301', bob.password, CLIENT)
  assert.equal(answer.kind === 'accepted' && answer.profile.name, 'jos\u00e9')
})

test('upper case is refused at the start where names are looked up in any case', async (t) => {
  const storage = await open(t)
  await combine(t, await openDatabase(storage)).add('Bob', asNew(bob))
  await assert.rejects(openDatabase(storage, { caseInsensitive: true }), OperatorError)
})

test('attributes stay whole', async (t) => {
  const users = combine(t, await openDatabase(await open(t)))
  const attributes = { given_name: 'B', address: { locality: 'X' }, extra: { n: [1, true, 'x'] } }
  await users.add('bob', asNew({ ...bob, attributes }))
  assert.deepEqual((await users.account('bob'))?.account.attributes, attributes)
  const wrong = users.change('bob', { attributes: { shoe_size: '42' } })
  await assert.rejects(wrong, isRefused('BODY_INVALID'))
})

test('a change that no server lived to act upon is told after the next start', async (t) => {
  const storage = await open(t)
  const first = combine(t, await openDatabase(storage))
  await first.add('bob', asNew(bob))
  await storage.write(() => storage.sqlite.exec('insert into user_changes_done (id) values (1)'))
  await first.setPassword('bob', approved('another'))
  const backend = await openDatabase(storage)
  const next = combine(t, backend)
  const told: string[] = []
  next.onInvalidated((names) => told.push(...names))
  await backend.reload()
  assert.deepEqual(told, ['bob'])
})
