import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createRecoveryCodes } from '../../src/features/second-factor/methods/recovery-codes.ts'
import { createPreferences } from '../../src/features/second-factor/preferences.ts'
import { migrations } from '../../src/features.ts'
import { systemClock as clock } from '../../src/kernel/clock.ts'
import { createSealer } from '../../src/kernel/seal.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { openStorage } from '../../src/storage/index.ts'
import { runCli, temporaryDirectory } from '../support/cli.ts'
import { configFor } from '../support/server.ts'

test('without a server, factors are reset and users invited in the database, and the audit trail says so', async (t) => {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'config.yml'), JSON.stringify(configFor(9091, cwd)), { mode: 0o600 })
  mkdirSync(join(cwd, 'data'), { mode: 0o700 })
  const open = () =>
    openStorage({
      path: join(cwd, 'data/vestibule.sqlite3'),
      migrations,
      log: { info() {} },
    })
  const sealer = createSealer([new Secret('the encryption key of the tests')], 'storage')
  const codesOf = (storage: Awaited<ReturnType<typeof open>>) =>
    createRecoveryCodes({ storage, sealer, clock, random: randomBytes })
  const before = await open()
  await codesOf(before).generate('john')
  await codesOf(before).generate('jane')
  // A user of a database has no mark of the password.
  await codesOf(before).generate('dora')
  const mark = before.sqlite.prepare('insert into password_marks (name, mark) values (?, ?)')
  for (const name of ['john', 'jane']) mark.run(name, 'present')
  await before.close()

  const cli = (...argv: string[]) => runCli(t, [...argv, '--config', 'config.yml'], { cwd })
  assert.deepEqual(await cli('users', 'reset-factors', 'john'), {
    ...{
      status: 0,
      err: '',
      out: 'john has no second factor any more, and is signed out everywhere.\n',
    },
  })
  assert.match((await cli('users', 'reset-factors', 'john')).out, /was no second factor of john/)
  assert.match((await cli('users', 'invite-factor', 'john')).out, /john may enrol/)
  assert.match((await cli('users', 'reset-factors', 'dora')).out, /signed out everywhere/)
  const { out } = await cli('audit', 'list', '--user', 'john')
  assert.match(out, /factor\.removed/)
  assert.match(out, /factor\.invited/)

  const after = await open()
  t.after(() => after.close())
  assert.equal(await codesOf(after).status('john'), undefined)
  const marks = after.sqlite.prepare('select name, mark from password_marks order by name').all()
  assert.deepEqual(
    marks.map(({ name, mark }) => `${name} ${mark}`),
    ['dora outdated', 'jane present', 'john outdated'],
    'the next start ends the sessions of john and dora',
  )
  assert.equal((await codesOf(after).status('jane'))?.remaining, 10)
  assert.equal(await createPreferences({ storage: after, clock }).isInvited('john'), true)
})
