import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { parse, stringify } from 'yaml'
import { openPasswordMarks } from '../../src/features/users/index.ts'
import { migrations } from '../../src/features.ts'
import { openStorage } from '../../src/storage/index.ts'
import { runCli, temporaryDirectory } from '../support/cli.ts'
import { configFor } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

/** What a users file can say of a user besides. */
const CY = {
  disabled: true,
  expires_at: '2099-01-01T00:00:00.000Z',
  must_change_password: true,
  given_name: 'Cy',
  address: { locality: 'Łódź' },
}

async function folder(t: TestContext) {
  const cwd = temporaryDirectory(t)
  const config: Record<string, unknown> = { ...configFor(9091, cwd, CHEAP) }
  const configure = (backend: unknown) =>
    writeFileSync(
      join(cwd, 'config.yml'),
      JSON.stringify({ ...config, authentication_backend: backend }),
      { mode: 0o600 },
    )
  configure({ file: {} })
  mkdirSync(join(cwd, 'data'), { mode: 0o700 })
  const open = () =>
    openStorage({ path: join(cwd, 'data/vestibule.sqlite3'), migrations, log: { info() {} } })
  await (await open()).close()
  const given = parse(
    await usersYaml({ ann: { groups: ['dev', 'ops'] }, bob: { groups: [] }, cy: { groups: [] } }),
  )
  const users = join(cwd, 'data/users.yml')
  writeFileSync(
    users,
    stringify({ ...given, users: { ...given.users, cy: { ...given.users.cy, ...CY } } }),
    { mode: 0o600 },
  )
  const cli = (argv: string) => runCli(t, [...argv.split(' '), '--config', 'config.yml'], { cwd })
  const done = async (argv: string) => {
    const { status, out, err } = await cli(argv)
    assert.deepEqual({ status, err }, { status: 0, err: '' }, argv)
    return out
  }
  return { configure, open, users, cli, done }
}

test('users move from the file into the database and back, with digests and attributes, and no session stays', async (t) => {
  const { configure, open, users, cli, done } = await folder(t)
  const before = readFileSync(users, 'utf8')
  assert.match(await done('users migrate --from file --to database'), /3 new users .*--apply/)
  await done('users migrate --from file --to database --apply')
  assert.equal(readFileSync(users, 'utf8'), before)
  const twice = await cli('users migrate --from file --to database --apply')
  assert.deepEqual([twice.status, twice.out], [1, ''])
  assert.match(twice.err, /^ann: is in the database already$/m)
  assert.match(twice.err, /3 users cannot.*nothing was written/)
  assert.match(
    await done('users migrate --from file --to database --apply --force'),
    /0 new users and 3 replaced/,
  )

  configure({ database: {} })
  rmSync(users)
  assert.match(await done('users list'), /ann .*dev ops/)
  assert.match(await done('users list --disabled'), /cy .*disabled/)
  const storage = await open()
  const ended: string[] = []
  await openPasswordMarks(storage).follow(
    { marks: () => ({ get: () => undefined, *[Symbol.iterator]() {} }), onInvalidated() {} },
    async (name) => void ended.push(name),
    (error) => assert.fail(String(error)),
  )
  await storage.close()
  assert.deepEqual(ended.sort(), ['ann', 'bob', 'cy'])

  await done('users migrate --from database --to file --apply')
  assert.deepEqual(parse(readFileSync(users, 'utf8')), parse(before))
})

test('reset-admin gives admin a password that is printed once, and makes admin where there is none (requirement 25)', async (t) => {
  const { configure, users, done, cli } = await folder(t)
  const passwordIn = (out: string) => /^User: admin\nPassword: (\S{20,})\n$/.exec(out)?.[1]
  const first = passwordIn(await done('users reset-admin'))
  assert.ok(first !== undefined)
  const digest = () => parse(readFileSync(users, 'utf8')).users.admin.password
  const before = digest()
  const second = passwordIn(await done('users reset-admin'))
  assert.ok(second !== undefined && second !== first)
  assert.notEqual(digest(), before)
  assert.match(await done('users show admin'), /vestibule-admins/)
  const trail = await done('audit list --user admin')
  assert.match(trail, /password.changed.*operator/)
  assert.ok(!trail.includes(first) && !trail.includes(second))

  configure({ database: {} })
  assert.notEqual(passwordIn(await done('users reset-admin')), undefined)
  await done('users add root --no-password --groups vestibule-admins')
  await done('users disable admin')
  const disabled = await cli('users reset-admin')
  assert.match(disabled.err, /admin is disabled: vestibule users enable admin/)
})
