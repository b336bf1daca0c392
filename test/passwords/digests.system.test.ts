import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import digests from '../fixtures/password-digests.json' with { type: 'json' }
import { configFor, type RunningServer, run, signIn, startServer } from '../support/server.ts'
import { CHEAP } from '../support/users.ts'
import { verdict } from '../support/verdict.ts'
import { until } from '../users/store.ts'

/** One user for each way to begin a digest, with the last of each in the list: those are cheap. */
function oneOfEach() {
  const users = new Map<string, { digest: string; password: string }>()
  for (const { digest, password } of digests.verified) {
    const [, scheme = ''] = /^(?:\{CRYPT\})?\$?([a-z0-9_-]+)\$/.exec(digest) ?? []
    // bcrypt reads 72 bytes; what it did not read stays in its digest.
    if (password.length <= 72) users.set(`by-${scheme.replace('_', '.')}`, { digest, password })
  }
  return users
}
const usersFile = (users: ReturnType<typeof oneOfEach>) =>
  `users:\n${[...users].map(([name, { digest }]) => `  ${name}:\n    displayname: X\n    password: '${digest}'\n`).join('')}`

const isSignedIn = async ({ port }: RunningServer, cookie: string): Promise<boolean> =>
  (await verdict(port, cookie)).status === 200

test('people sign in with the digests that Authelia and Frigate made; weak ones are made anew, and all stay signed in', async (t) => {
  const users = oneOfEach()
  assert.equal(users.size, 16)
  const server = await startServer(t, { config: CHEAP, users: usersFile(users) })
  const cookies = new Map<string, string>()
  // All at once: every answer waits as long as the costliest of these digests takes.
  const each = (
    work: (name: string, user: { digest: string; password: string }) => Promise<void>,
  ) => Promise.all([...users].map(([name, user]) => work(name, user)))
  await each(async (name, { password }) => {
    await assert.rejects(signIn(server.port, name, `x${password}`), /401/, name)
    cookies.set(name, await signIn(server.port, name, password))
  })
  // Those of argon2 in the list are dearer than what is configured.
  const weak = [...users].filter(([name]) => !name.startsWith('by-argon2'))
  const read = () => readFileSync(server.usersFile, 'utf8')
  await until(() => weak.every(([, { digest }]) => !read().includes(digest)))
  for (const [name, cookie] of cookies) assert.ok(await isSignedIn(server, cookie), name)
  await each(async (name, { password, digest }) => {
    await assert.rejects(signIn(server.port, name, `x${password}`), /401/, name)
    assert.ok(await isSignedIn(server, await signIn(server.port, name, password)), name)
    assert.ok(!server.output().includes(digest))
  })
  assert.doesNotMatch(server.output(), /argon2id\$/)
})

test('with rehash_on_login off the file stays as it is', async (t) => {
  const users = new Map([...oneOfEach()].slice(0, 3))
  const config = {
    authentication_backend: { ...CHEAP.authentication_backend, rehash_on_login: false },
  }
  const server = await startServer(t, { config, users: usersFile(users), keep: true })
  await Promise.all([...users].map(([name, { password }]) => signIn(server.port, name, password)))
  await server.stop()
  t.after(() => rmSync(server.folder, { recursive: true, force: true }))
  assert.equal(readFileSync(server.usersFile, 'utf8'), usersFile(users))
})

test('a digest that is never read, or costs too much, stops the start with its line', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-test-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  mkdirSync(join(folder, 'data'), { mode: 0o700 })
  writeFileSync(join(folder, 'config.yml'), JSON.stringify(configFor(1, folder, CHEAP)))
  const [never] = digests.never
  assert.ok(never)
  for (const [digest, reason] of [
    [never.digest, /users\.yml:4:15 .*bcrypt digest of a faulty variant/],
    ['$6$rounds=999999999$saltsalt$'.padEnd(115, '.'), /users\.yml:4:15 .*rounds are not within/],
  ] as const) {
    const users = new Map([['john', { digest, password: '' }]])
    writeFileSync(join(folder, 'data', 'users.yml'), usersFile(users))
    const server = run(['serve', '--config', 'config.yml'], { folder })
    t.after(() => server.stop())
    assert.equal(await server.ended, 1)
    assert.match(server.output(), reason)
    assert.ok(!server.output().includes(digest.slice(-20)))
  }
})
