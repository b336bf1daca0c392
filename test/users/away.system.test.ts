import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { freePort } from '../support/nginx.ts'
import { PASSWORD, type RunningServer, run, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'
import { eventually, verdict } from '../support/verdict.ts'

const signIn = async (server: RunningServer, username: string): Promise<string> => {
  const answer = await server.request('/api/firstfactor', {
    method: 'POST',
    headers: { Host: 'auth.vestibule.localhost', 'Content-Type': 'application/json' },
    body: JSON.stringify({ username, password: PASSWORD }),
  })
  assert.equal(answer.status, 200, answer.body)
  return answer.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''
}

test('what changes while no server runs ends sessions at the next start, and a digest made anew just before a kill does not', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-away-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const port = await freePort()
  const everybody = await usersYaml({ john: {}, ann: {}, bob: {}, eve: {} })
  // Dearer than the digests in the file: who signs in gets a new one.
  const config = {
    authentication_backend: {
      file: {
        watch: false,
        password: {
          argon2: { ...CHEAP.authentication_backend.file.password.argon2, memory: 128 },
        },
      },
    },
  }
  const open = (users?: string) => startServer(t, { folder, port, config, users, keep: true })
  const first = await open(everybody)
  const names = ['john', 'ann', 'bob', 'eve']
  const cookies = new Map<string, string>()
  for (const name of names) cookies.set(name, await signIn(first, name))
  const file = () => JSON.parse(readFileSync(first.usersFile, 'utf8'))
  await eventually(file, ({ users }) =>
    names.every((name) => String(users[name].password).includes('m=128')),
  )
  first.signal('SIGKILL')
  await first.ended

  const { users } = file()
  const { eve: _, ...others } = users
  const fresh = JSON.parse(await usersYaml({ john: {} }, 'another password'))
  others.john.password = fresh.users.john.password
  others.bob.disabled = true
  writeFileSync(first.usersFile, JSON.stringify({ users: others }))
  const second = await open()
  assert.match(second.output(), /while no server was there to see it.*count=3/)
  const statuses = async () =>
    Promise.all(names.map(async (name) => (await verdict(port, cookies.get(name))).status))
  assert.deepEqual(await statuses(), [401, 200, 401, 401])
  await second.stop()

  // What has ended stays so, and is not said again.
  others.bob.disabled = false
  writeFileSync(first.usersFile, JSON.stringify({ users: { ...others, eve: users.eve } }))
  const third = await open()
  assert.doesNotMatch(third.output(), /while no server was there/)
  assert.deepEqual(await statuses(), [401, 200, 401, 401])
})

test('a users file that was emptied while no server ran is no first start', async (t) => {
  const server = await startServer(t, { config: CHEAP, users: await usersYaml({ john: {} }) })
  await server.stop()
  const again = () => run(['serve', '--config', server.configFile], server)
  for (const empty of ['', 'users: {}\n']) {
    writeFileSync(server.usersFile, empty)
    const refused = again()
    assert.equal(await refused.ended, 1)
    assert.match(refused.output(), /users\.yml has no users, and there were some at the last start/)
    assert.equal(readFileSync(server.usersFile, 'utf8'), empty)
  }
  // Whoever removes it wants that.
  rmSync(server.usersFile)
  const fresh = again()
  await fresh.until(/^User: admin$/m)
  await fresh.stop()
})
