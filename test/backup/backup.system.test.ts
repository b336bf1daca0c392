/** `vestibule backup` beside a server that works, and `vestibule restore`. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { createHash, randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { gunzipSync, gzipSync } from 'node:zlib'
import { type Header, pack } from 'tar-stream'
import { READY } from '../../src/files/interrupted-restore.ts'
import { runCli, temporaryDirectory } from '../support/cli.ts'
import { mainFile } from '../support/main-file.ts'
import { configFor, PASSWORD, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

const PASSPHRASE = 'four words of some length'

async function deployment(t: TestContext) {
  const folder = temporaryDirectory(t)
  const server = await startServer(t, {
    config: CHEAP,
    users: await usersYaml({ john: {}, mary: {} }),
    folder,
    keep: true,
  })
  writeFileSync(join(folder, 'passphrase'), `${PASSPHRASE}\n`)
  const ask = (...argv: string[]) =>
    runCli(t, [...argv, '--config', server.configFile], { cwd: folder })
  const signIn = () =>
    server.request('/api/firstfactor', {
      method: 'POST',
      headers: {
        host: `auth.vestibule.localhost:${server.port}`,
        origin: `http://auth.vestibule.localhost:${server.port}`,
        'content-type': 'application/json',
      },
      body: JSON.stringify({ username: 'john', password: PASSWORD }),
    })
  return { folder, server, ask, signIn }
}

/** What a folder holds below it, by name. */
const contentOf = (folder: string): ReadonlyMap<string, string> =>
  new Map(
    readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile() && entry.name !== 'lock')
      .map((entry) => {
        const path = join(entry.parentPath, entry.name)
        return [
          path.slice(folder.length),
          createHash('sha256').update(readFileSync(path)).digest('hex'),
        ]
      }),
  )

test('a backup under load is a state that existed, and is restored on a fresh directory', async (t) => {
  const { folder, server, ask, signIn } = await deployment(t)
  let isBusy = true
  let signIns = 0
  const load = (async () => {
    for (; isBusy && signIns < 2000; signIns++) assert.equal((await signIn()).status, 200)
  })()
  while (signIns < 5) await signIn()
  const made = await ask('backup', 'one.tar.gz.age', '--passphrase-file', 'passphrase')
  isBusy = false
  await load
  assert.equal(made.status, 0, made.err)
  const archive = join(folder, 'one.tar.gz.age')
  assert.equal(statSync(archive).mode & 0o777, 0o600)
  assert.equal(readFileSync(archive).includes('john'), false)
  assert.deepEqual(
    readdirSync(join(folder, 'data')).filter((name) => name.includes('draft')),
    [],
  )
  assert.match((await ask('backup', 'one.tar.gz.age')).err, /exists already/)

  const beside = await ask(
    'restore',
    'one.tar.gz.age',
    '--passphrase-file',
    'passphrase',
    '--force',
  )
  assert.match(beside.err, /another server is running on the data directory/)
  await server.stop()
  const refused = await ask('restore', 'one.tar.gz.age', '--passphrase-file', 'passphrase')
  assert.match(refused.err, /is not empty; nothing was changed/)

  const fresh = temporaryDirectory(t)
  mkdirSync(join(fresh, 'data'), { mode: 0o700 })
  const there = (...argv: string[]) =>
    runCli(t, ['restore', archive, '--to', join(fresh, 'data'), ...argv], { cwd: folder })
  assert.match((await there()).err, /is encrypted; give the file/)
  writeFileSync(join(folder, 'wrong'), 'another one of some length')
  assert.match(
    (await there('--passphrase-file', 'wrong')).err,
    /is no whole backup: .*is the passphrase/s,
  )
  assert.deepEqual([...contentOf(join(fresh, 'data'))], [])
  const restored = await there('--passphrase-file', 'passphrase')
  assert.equal(restored.status, 0, restored.err)
  const database = new DatabaseSync(join(fresh, 'data/vestibule.sqlite3'))
  assert.deepEqual(
    { ...database.prepare('pragma integrity_check').get() },
    { integrity_check: 'ok' },
  )
  // Sign-ins came one after another: the trail has the first of them, without a hole.
  const events = database
    .prepare("select count(*) as number from audit_events where name = 'login.succeeded'")
    .get()
  assert.ok(Number(events?.['number']) >= 1 && Number(events?.['number']) <= signIns + 5)
  database.close()
  assert.equal(
    readFileSync(join(fresh, 'data/users.yml'), 'utf8'),
    readFileSync(join(folder, 'data/users.yml'), 'utf8'),
  )
  assert.deepEqual(
    readdirSync(join(fresh, 'data/secrets')),
    readdirSync(join(folder, 'data/secrets')),
  )
  assert.ok(existsSync(join(fresh, 'data/config/01-config.yml')))
  const again = await startServer(t, { config: CHEAP, folder: fresh, keep: true })
  const check = await runCli(t, ['storage', 'encryption', 'check', '--config', again.configFile], {
    cwd: fresh,
  })
  assert.equal(check.status, 0, check.err)
})

/** An archive with these entries. */
async function archiveOf(
  entries: readonly (readonly [Partial<Header> & Pick<Header, 'name'>, string | Buffer])[],
): Promise<Buffer> {
  const tar = pack()
  for (const [header, content] of entries) tar.entry(header, content)
  tar.finalize()
  const parts: Buffer[] = []
  for await (const part of tar) parts.push(Buffer.from(part as Uint8Array))
  return gzipSync(Buffer.concat(parts))
}

const manifestFor = (files: readonly (readonly [string, string])[], more = {}) =>
  JSON.stringify({
    format: 1,
    version: '0',
    createdAt: '2026-01-01T00:00:00Z',
    files: files.map(([name, content]) => ({
      name,
      size: Buffer.byteLength(content),
      sha256: createHash('sha256').update(content).digest('hex'),
      ...more,
    })),
  })

test('an archive that is cut off, altered or hostile is refused whole', async (t) => {
  const { folder, server, ask } = await deployment(t)
  assert.equal((await ask('backup', 'good.tar.gz')).status, 0)
  assert.equal((await ask('backup', 'good.age', '--passphrase-file', 'passphrase')).status, 0)
  await server.stop()
  const before = contentOf(join(folder, 'data'))
  const good = readFileSync(join(folder, 'good.tar.gz'))
  const sealed = readFileSync(join(folder, 'good.age'))
  const flipped = (bytes: Buffer, at: number) => {
    const copy = Buffer.from(bytes)
    copy[at] = (copy[at] ?? 0) ^ 1
    return copy
  }
  const plain = gunzipSync(good)
  const user = plain.indexOf('displayname')
  const manifest = (text: string): readonly [{ name: string }, string] => [
    { name: 'manifest.json' },
    text,
  ]
  const users: readonly [{ name: string }, string] = [{ name: 'users.yml' }, 'users: {}']
  const one = manifest(manifestFor([['users.yml', 'users: {}']]))
  const hostile: Record<string, Buffer> = {
    half: good.subarray(0, good.length / 2),
    'without its end': good.subarray(0, good.length - 9),
    'a bit in the data': gzipSync(flipped(plain, user)),
    'a bit in the archive': flipped(good, good.length >> 1),
    'half of a sealed one': sealed.subarray(0, sealed.length / 2),
    'a bit in a sealed one': flipped(sealed, sealed.length - 40),
    nothing: Buffer.alloc(0),
    'random bytes': randomBytes(5000),
    'no manifest': await archiveOf([users]),
    'a manifest of everything else': await archiveOf([manifest('{"format":2}'), users]),
    'a file that is missing': await archiveOf([one]),
    'a file that is not announced': await archiveOf([one, users, [{ name: 'secrets/x' }, 'x']]),
    'another name': await archiveOf([one, [{ name: 'vestibule.sqlite3' }, 'users: {}']]),
    'a way out': await archiveOf([
      manifest(manifestFor([['secrets/../../evil', 'x']])),
      [{ name: 'secrets/../../evil' }, 'x'],
    ]),
    'an absolute path': await archiveOf([
      manifest(manifestFor([['/tmp/evil', 'x']])),
      [{ name: '/tmp/evil' }, 'x'],
    ]),
    'a link': await archiveOf([
      one,
      [{ name: 'users.yml', type: 'symlink', linkname: '/etc/passwd' }, ''],
    ]),
    'more than it announced': await archiveOf([
      one,
      users,
      [{ name: 'y' }, Buffer.alloc(8 * 1024 * 1024)],
    ]),
    'a long manifest': await archiveOf([manifest(' '.repeat(4 * 1024 * 1024)), users]),
    'more than the disk has': await archiveOf([
      manifest(manifestFor([['users.yml', 'users: {}']], { size: 2 ** 52 })),
      users,
    ]),
    'another program’s database': await archiveOf([
      manifest(manifestFor([['vestibule.sqlite3', 'x'.repeat(5000)]])),
      [{ name: 'vestibule.sqlite3' }, 'x'.repeat(5000)],
    ]),
  }
  for (const [what, bytes] of Object.entries(hostile)) {
    writeFileSync(join(folder, 'bad'), bytes)
    const answer = await ask('restore', 'bad', '--force', '--passphrase-file', 'passphrase')
    assert.equal(answer.status, 1, what)
    assert.doesNotMatch(answer.err, /should not have/, what)
    assert.deepEqual(contentOf(join(folder, 'data')), before, what)
  }
  const restored = await ask('restore', 'good.tar.gz', '--force')
  assert.equal(restored.status, 0, restored.err)
})

test('kill -9 while it restores leaves the former state or the restored one', async (t) => {
  const { folder, server, ask } = await deployment(t)
  assert.equal((await ask('backup', 'good.tar.gz')).status, 0)
  await server.stop()
  const data = join(folder, 'data')
  writeFileSync(join(data, 'users.yml'), await usersYaml({ other: {} }))
  const former = contentOf(data)
  let isDone = false
  for (let round = 0; round < 40 && !isDone; round++) {
    const child = spawn(
      process.execPath,
      [mainFile(), 'restore', 'good.tar.gz', '--force', '--config', server.configFile],
      { cwd: folder, stdio: 'ignore' },
    )
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve))
    // At ever later places of its work: once the draft is there, and then a file more in each round.
    const draft = join(data, 'restore.draft')
    const isAt = () => {
      if (existsSync(join(data, READY))) return true
      try {
        return readdirSync(draft, { recursive: true }).length >= round
      } catch {
        // It is not there yet, or was renamed between two looks.
        return false
      }
    }
    while (child.exitCode === null && !isAt()) await new Promise(setImmediate)
    child.kill('SIGKILL')
    isDone = (await ended) === 0
    const check = await ask('storage', 'encryption', 'check')
    assert.equal(check.status, 0, check.err)
    const now = new Map([...contentOf(data)].filter(([name]) => !name.startsWith('/restore.draft')))
    const isFormer = former.get('/users.yml') === now.get('/users.yml')
    if (isFormer) assert.deepEqual(now, former)
    else {
      isDone = true
      assert.equal(existsSync(join(data, READY)), false)
    }
  }
  assert.equal((await ask('restore', 'good.tar.gz', '--force')).status, 0)
  assert.match(readFileSync(join(data, 'users.yml'), 'utf8'), /john/)
})

test('a start goes on with a restore that was killed between two of its parts', async (t) => {
  const { server, ask } = await deployment(t)
  assert.equal((await ask('backup', 'good.tar.gz')).status, 0)
  await server.stop()
  const fresh = temporaryDirectory(t)
  assert.equal((await ask('restore', 'good.tar.gz', '--to', join(fresh, 'data'))).status, 0)
  // The database is in its place; users and secrets are not.
  const data = join(fresh, 'data')
  mkdirSync(join(data, READY), { mode: 0o700 })
  for (const name of ['users.yml', 'secrets']) renameSync(join(data, name), join(data, READY, name))
  writeFileSync(join(data, 'users.yml'), await usersYaml({ other: {} }))
  const again = await startServer(t, { config: CHEAP, folder: fresh, keep: true })
  assert.equal(existsSync(join(data, READY)), false)
  assert.match(readFileSync(again.usersFile, 'utf8'), /john/)
  await again.stop()
})

test('PostgreSQL is refused with what to do', async (t) => {
  const cwd = temporaryDirectory(t)
  const storage = {
    postgres: { address: 'tcp://127.0.0.1:9', username: 'x', password: 'y', database: 'z' },
  }
  writeFileSync(join(cwd, 'config.yml'), JSON.stringify(configFor(9, cwd, { storage })))
  const answer = await runCli(t, ['backup', 'x.tar.gz'], { cwd })
  assert.equal(answer.status, 1)
  assert.match(answer.err, /back it up with pg_dump .* --without-postgres/)
})
