/** Users in PostgreSQL, which several instances share. */
import assert from 'node:assert/strict'
import { after, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { combineUsers } from '../../src/features/users/users.ts'
import { migrations } from '../../src/features.ts'
import { openStorage } from '../../src/storage/index.ts'
import { userBackendConformance } from '../conformance/user-backend.ts'
import { bob, CLIENT, isRefused, john } from '../conformance/user-case.ts'
import { approved, asNew } from '../support/approved.ts'
import { until as untilSo } from '../support/pace.ts'
import { missingPostgres, type Postgres, startPostgres } from '../support/postgres.ts'
import { databaseCase, openDatabase } from './database-case.ts'
import { cheapPasswords, keptLog, until } from './store.ts'

if (missingPostgres === undefined) {
  // One server for all tests of this file; each has a database of its own.
  // As: it calls what it is given without reading the context.
  const server = startPostgres({ after: (end) => after(end as () => unknown) })
  tests(server)
} else test('users in PostgreSQL', { skip: missingPostgres }, () => {})

function tests(server: Promise<Postgres>): void {
  async function open(t: TestContext, config: Awaited<ReturnType<Postgres['config']>>) {
    const storage = await openStorage({
      ...{ path: ':memory:', postgres: config, migrations, log: { info() {} } },
    })
    t.after(() => storage.close())
    return storage
  }
  async function instances(t: TestContext, count: number) {
    const config = await (await server).config()
    const all = []
    for (let i = 0; i < count; i++) {
      const backend = await openDatabase(await open(t, config))
      const users = combineUsers([backend], { passwords: cheapPasswords(), log: keptLog().log })
      t.after(() => users.close())
      all.push({ backend, users })
    }
    return all
  }

  userBackendConformance(
    'database (PostgreSQL)',
    async (t, given) => databaseCase(t, await open(t, await (await server).config()), given),
    ['writing', 'creation', 'editing', 'removal'],
  )

  test('every instance hears by itself that a user was disabled or has another password', async (t) => {
    const [one, two] = await instances(t, 2)
    assert.ok(one !== undefined && two !== undefined)
    await one.users.add('john', asNew(john))
    await one.users.add('bob', asNew(bob))
    assert.equal((await two.users.profile('john'))?.name, 'john')
    assert.equal((await two.users.profile('bob'))?.name, 'bob')
    const told: string[] = []
    two.users.onInvalidated((names) => told.push(...names))
    await one.users.change('john', { disabled: true })
    await one.users.setPassword('bob', approved('another'))
    await until(() => told.length === 2)
    assert.deepEqual(told.sort(), ['bob', 'john'])
    assert.equal(await two.users.profile('john'), undefined)
    assert.equal((await two.users.authenticate('bob', 'another', CLIENT)).kind, 'accepted')
  })

  test('a change is heard at once, and not at the next question only', async (t) => {
    const config = await (await server).config()
    const hear = async (storage: Awaited<ReturnType<typeof open>>) => {
      const backend = await openDatabase(storage)
      const users = combineUsers([backend], { passwords: cheapPasswords(), log: keptLog().log })
      t.after(() => users.close())
      const told: string[][] = []
      backend.onChange(({ invalidated }) => told.push([...invalidated]))
      return { users, told }
    }
    const one = await hear(await open(t, config))
    const two = await hear(await open(t, config))
    const deaf = await hear({ ...(await open(t, config)), listen: () => () => {} })
    const count = 30
    const took: number[] = []
    for (let i = 0; i < count; i++)
      await one.users.add(`user${i}`, asNew({ ...bob, name: `user${i}` }))
    await Promise.all([two, deaf].map(({ users }) => users.reload()))
    deaf.told.length = 0
    for (let i = 0; i < count; i++) {
      const name = `user${i}`
      assert.equal((await two.users.profile(name))?.name, name)
      await one.users.change(name, { disabled: true })
      const began = performance.now()
      await untilSo('it is heard', async () => (await two.users.profile(name)) === undefined, 1)
      took.push(performance.now() - began)
    }
    await until(() => deaf.told.flat().length === count)
    t.diagnostic(`refused after at most ${Math.max(...took).toFixed(1)} ms`)
    // The one that only asks now and then hears of several changes with each question.
    assert.ok(deaf.told.length <= count / 2, `${deaf.told.length} questions`)
  })

  test('a change of this instance is told once, even when its answer comes after the notice', async (t) => {
    const storage = await open(t, await (await server).config())
    const asked: Promise<unknown>[] = []
    const late: typeof storage = {
      ...storage,
      async transaction(work, options) {
        const answer = await storage.transaction(work, options)
        const heard = backend.reload()
        asked.push(heard)
        // The answer is held back for as long as hearing of the change may take.
        await Promise.race([heard, sleep(200)])
        return answer
      },
    }
    const backend = await openDatabase(late)
    const users = combineUsers([backend], { passwords: cheapPasswords(), log: keptLog().log })
    t.after(() => users.close())
    await users.add('john', asNew(john))
    const told: string[] = []
    users.onInvalidated((names) => told.push(...names))
    await users.setPassword('john', approved('another'))
    await Promise.all(asked)
    assert.deepEqual(told, ['john'])
  })

  test('a lost connection is made again, and what was missed meanwhile is heard', async (t) => {
    const [one, two] = await instances(t, 2)
    assert.ok(one !== undefined && two !== undefined)
    await one.users.add('john', asNew(john))
    assert.equal((await two.users.profile('john'))?.name, 'john')
    const listening = "from pg_stat_activity where query = 'listen vestibule'"
    const pids = async () =>
      (await (await server).ask(`select pid ${listening}`)).map(({ pid }) => Number(pid))
    await untilSo('it is heard', async () => (await pids()).length >= 2, 1)
    const before = await pids()
    await (await server).ask(`select pg_terminate_backend(pid) ${listening}`)
    await one.users.change('john', { disabled: true })
    await untilSo('it is heard', async () => (await two.users.profile('john')) === undefined, 1)
    await untilSo(
      'it is heard',
      async () => (await pids()).filter((pid) => !before.includes(pid)).length >= 2,
      1,
    )
  })

  test('ten writers on several instances lose no change without an error', async (t) => {
    const all = await instances(t, 2)
    const [first] = all
    assert.ok(first !== undefined)
    await first.users.add('john', asNew({ ...john, groups: ['n0'] }))
    /** Adds its group to those it read, and tries again when another writer was faster. */
    const add = async (group: string, { users }: (typeof all)[number]) => {
      for (;;) {
        const { account } = (await users.account('john')) ?? {}
        assert.ok(account !== undefined)
        const groups = [...account.profile.groups, group]
        try {
          return await users.change('john', { groups }, { version: account.version })
        } catch (error) {
          if (!isRefused('USER_CHANGED')(error)) throw error
        }
      }
    }
    await Promise.all(Array.from({ length: 10 }, (_, i) => add(`n${i + 1}`, all[i % 2] ?? first)))
    const found = await first.users.account('john')
    assert.equal(found?.account.profile.groups.length, 11)
  })
}
