import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { migrations } from '../../src/features.ts'
import { openStorage } from '../../src/storage/index.ts'
import { runCli, temporaryDirectory } from '../support/cli.ts'
import { configFor } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

test('without a server, users are managed in the users file, and the audit trail says so', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'config.yml'), JSON.stringify(configFor(9091, cwd, CHEAP)), {
    mode: 0o600,
  })
  mkdirSync(join(cwd, 'data'), { mode: 0o700 })
  const path = join(cwd, 'data/users.yml')
  writeFileSync(path, await usersYaml({ root: { groups: ['vestibule-admins'] } }), { mode: 0o600 })
  const storage = await openStorage({
    path: join(cwd, 'data/vestibule.sqlite3'),
    migrations,
    log: { info() {} },
  })
  await storage.close()

  const cli = (argv: readonly string[], stdin = '') =>
    runCli(t, [...argv, '--config', 'config.yml'], { cwd, stdin })
  const done = async (argv: readonly string[], stdin?: string) => {
    const { status, out, err } = await cli(argv, stdin)
    assert.deepEqual({ status, err }, { status: 0, err: '' }, argv.join(' '))
    return out
  }
  await done(['users', 'add', 'ann', '-d', 'Ann Bee', '-g', 'dev,ops'], 'password of ann\n')
  await done(['users', 'add', 'cy', '--no-password'])
  const twice = await cli(['users', 'add', 'ann'], 'password of ann\n')
  assert.deepEqual([twice.status, twice.out], [1, ''])
  assert.match(twice.err, /user with this name already/)
  assert.match((await cli(['users', 'change', 'ann', '-e', 'none'])).err, /email is not a mail/)
  await done(['users', 'change', 'ann', '-e', 'ann@example.com'])
  await done(['users', 'disable', 'ann'])
  assert.match(await done(['users', 'list', '--disabled']), /ann +Ann Bee.*dev ops +disabled/)
  await done(['users', 'enable', 'ann'])
  await done(['users', 'expire', 'ann', '2099-01-01T00:00:00Z'])
  await done(['users', 'groups', 'ann', 'dev'])
  const before = readFileSync(path, 'utf8')
  await done(['users', 'set-password', 'ann', '--must-change'], 'another of ann\n')
  assert.notEqual(readFileSync(path, 'utf8'), before)
  const shown = JSON.parse(await done(['users', 'show', 'ann']))
  assert.deepEqual(
    [shown.groups, shown.expires_at, shown.must_change_password, shown.email],
    [['dev'], '2099-01-01T00:00:00.000Z', true, 'ann@example.com'],
  )
  assert.match((await cli(['users', 'disable', 'root'])).err, /last administrator/)
  assert.match((await cli(['users', 'delete', 'ann'])).err, /--yes/)
  await done(['users', 'delete', 'ann', '--yes'])
  assert.match((await cli(['users', 'show', 'ann'])).err, /no such user/)
  assert.doesNotMatch(readFileSync(path, 'utf8'), /ann/)
  const trail = await done(['audit', 'list', '--user', 'ann'])
  for (const event of ['user.added', 'user.changed', 'password.changed', 'user.removed'])
    assert.ok(trail.includes(event), event)
  assert.doesNotMatch(trail, /password of ann|another of ann/)
})
