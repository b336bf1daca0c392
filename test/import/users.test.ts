/** `vestibule import htpasswd`, `tinyauth` and `frigate`. */
import assert from 'node:assert/strict'
import { pbkdf2Sync } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import bcrypt from 'bcryptjs'
import { parse } from 'yaml'
import { migrations } from '../../src/features.ts'
import { openStorage } from '../../src/storage/index.ts'
import { runCli, temporaryDirectory } from '../support/cli.ts'
import { configFor, PASSWORD } from '../support/server.ts'

const BCRYPT = bcrypt.hashSync(PASSWORD, 4)
const SECRET = 'GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ'

function place(t: TestContext) {
  const cwd = temporaryDirectory(t)
  writeFileSync(join(cwd, 'config.yml'), JSON.stringify(configFor(9, cwd)))
  const file = join(cwd, 'data/users.yml')
  return {
    cwd,
    file,
    write: (name: string, text: string) => writeFileSync(join(cwd, name), text),
    ask: (...argv: string[]) => runCli(t, ['import', ...argv], { cwd }),
    users: () => parse(readFileSync(file, 'utf8')).users,
  }
}

test('an htpasswd file: what can be checked is added, what cannot is listed with its line', async (t) => {
  const { ask, write, users, file } = place(t)
  write(
    '.htpasswd',
    `# the house\nann:${BCRYPT}\nbob:$apr1$r31.....$HqJZimcKQFAMYayBlzkrA/\ncarl:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\ndora:${BCRYPT}:a comment\n`,
  )
  const tried = await ask('htpasswd', '.htpasswd')
  assert.equal(tried.status, 0, tried.err)
  assert.match(tried.out, /^From htpasswd: 2 users to add, 0 whose digest is replaced/m)
  assert.match(tried.out, /^ {2}\.htpasswd:3: bob: apr1 \(MD5\) digests are not checked here/m)
  assert.match(tried.out, /^ {2}\.htpasswd:4: carl: SHA-1 digests without salt/m)
  assert.ok(!existsSync(file))
  assert.equal((await ask('htpasswd', '.htpasswd', '--apply')).status, 0)
  assert.deepEqual(Object.keys(users()), ['ann', 'dora'])
  assert.equal(users().ann.password, BCRYPT)

  const text = readFileSync(file, 'utf8').replace('users:', '# ours\nusers:')
  writeFileSync(file, text)
  const again = await ask('htpasswd', '.htpasswd', '--apply')
  assert.equal(again.status, 1)
  assert.match(again.err, /has users of these names already: ann, dora/)
  assert.equal(readFileSync(file, 'utf8'), text)
  const other = bcrypt.hashSync('another one', 4)
  write('.htpasswd', `ann:${other}\nEve:${BCRYPT}\n`)
  assert.equal((await ask('htpasswd', '.htpasswd', '--apply', '--force')).status, 0)
  assert.equal(users().ann.password, other)
  assert.deepEqual(Object.keys(users()), ['ann', 'dora', 'Eve'])
  assert.match(readFileSync(file, 'utf8'), /^# ours$/m)

  write('bad', `ann\n:x\nfay:${BCRYPT}\nfay:${BCRYPT}\n`)
  const bad = await ask('htpasswd', 'bad', '--apply')
  assert.match(
    bad.err,
    /^bad:1: is not `name:digest`\nbad:2: is not `name:digest`\nbad:4: the user fay is there twice\n/,
  )
  assert.equal(bad.status, 1)
})

test('tinyauth: users and one-time codes, from the variable or the users file', async (t) => {
  const { ask, write, users, cwd } = place(t)
  write(
    '.env',
    `APP_URL=https://x\nUSERS="ann:${BCRYPT.replaceAll('$', '$$$$')}:${SECRET},bob:${BCRYPT}"\n`,
  )
  const done = await ask('tinyauth', '.env', '--apply')
  assert.equal(done.status, 0, done.err)
  assert.match(done.out, /2 users to add, 0 whose digest is replaced, 1 user with one-time codes/)
  assert.doesNotMatch(done.out, new RegExp(SECRET))
  assert.equal(users().ann.password, BCRYPT)
  assert.match(
    (await runCli(t, ['storage', 'user', 'totp', 'list'], { cwd })).out,
    /^ann +\S+ +SHA1 +6 +30 /m,
  )
  write('users_file', `carl:${BCRYPT}\n\ndora:${BCRYPT}:not base32!\n`)
  const bad = await ask('tinyauth', 'users_file', '--apply')
  assert.match(bad.err, /^users_file:3: the secret of dora is no base32 text$/m)
  assert.deepEqual(Object.keys(users()), ['ann', 'bob'])
})

test('Frigate: roles become groups', async (t) => {
  const { ask, users, cwd } = place(t)
  const salt = '0123456789abcdef0123456789abcdef'
  const key = pbkdf2Sync(PASSWORD, salt, 1000, 32, 'sha256').toString('base64')
  const frigate = new DatabaseSync(join(cwd, 'frigate.db'))
  frigate.exec(
    'create table user (username varchar(30) primary key, role varchar(20), password_hash varchar(120))',
  )
  const insert = frigate.prepare('insert into user values (?, ?, ?)')
  insert.run('admin', 'admin', `pbkdf2_sha256$1000$${salt}$${key}`)
  insert.run('eve', 'viewer', 'nonsense')
  frigate.close()
  const done = await ask('frigate', 'frigate.db', '--apply')
  assert.equal(done.status, 0, done.err)
  assert.match(done.out, /^ {2}frigate\.db: eve: the digest /m)
  assert.deepEqual(users().admin.groups, ['admin'])
  const storage = join(cwd, 'other.sqlite3')
  await (
    await openStorage({ path: storage, postgres: undefined, migrations, log: { info() {} } })
  ).close()
  assert.match((await ask('frigate', 'other.sqlite3')).err, /is not Frigate’s database/)
})
