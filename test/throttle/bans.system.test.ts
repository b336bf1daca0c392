/** Bans and known devices on the command line, over a restart, and where the database fails. */
import assert from 'node:assert/strict'
import { DatabaseSync } from 'node:sqlite'
import { type TestContext, test } from 'node:test'
import { runCli } from '../support/cli.ts'
import { PASSWORD, type RunningServer, signIn, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

const start = async (t: TestContext) =>
  startServer(t, {
    config: { ...CHEAP, regulation: { max_retries: 3, find_time: '1h', ban_time: '1h' } },
    users: await usersYaml({ john: {} }),
  })

const host = ({ port }: RunningServer) => `auth.vestibule.localhost:${port}`

/** How john's attempt is answered. */
const status = async (server: RunningServer, password = PASSWORD): Promise<number> => {
  const answer = await server.request('/api/firstfactor', {
    method: 'POST',
    headers: { Host: host(server), 'Content-Type': 'application/json' },
    body: JSON.stringify({ username: 'john', password }),
  })
  return answer.status
}

const cli = async (t: TestContext, server: RunningServer, ...args: string[]) => {
  const { status, out, err } = await runCli(t, [...args, '-c', server.configFile], {
    cwd: server.folder,
  })
  return { status, output: out + err }
}

test('bans survive a restart', async (t) => {
  const first = await startServer(t, {
    config: { ...CHEAP, regulation: { max_retries: 1 } },
    users: await usersYaml({ john: {} }),
    keep: true,
  })
  await assert.rejects(signIn(first.port, 'john', 'wrong'), /401/)
  await first.stop()
  const second = await startServer(t, {
    folder: first.folder,
    config: { ...CHEAP, regulation: { max_retries: 1 } },
    users: await usersYaml({ john: {} }),
  })
  await assert.rejects(signIn(second.port, 'john'), /401/)
})

test('bans are added, listed and lifted on the command line, also while no server runs', async (t) => {
  const server = await start(t)
  const added = await cli(t, server, 'bans', 'add', '--user', 'john', '-r', 'on leave', '-d', '30d')
  assert.match(added.output, /^The user john is banned until \d{4}-.*Z \(\S+\)\.$/m)
  await cli(t, server, 'bans', 'add', '--address', '2001:db8::1', '--permanent')
  assert.equal(await status(server), 401)
  const { output } = await cli(t, server, 'bans', 'list')
  assert.match(output, /user +john +.* operator +on leave/)
  assert.match(output, /address +2001:db8:0:0::\/64 +.*permanent/)
  const lifted = await cli(t, server, 'bans', 'lift', '--user', 'john')
  assert.match(lifted.output, /^1 ban was lifted/)
  assert.equal(await status(server), 200)

  await server.stop()
  assert.match((await cli(t, server, 'bans', 'list')).output, /2001:db8/)
  assert.match((await cli(t, server, 'bans', 'lift', '--all')).output, /^1 ban was lifted/)
  assert.match((await cli(t, server, 'bans', 'list')).output, /There are no bans/)
  for (const [args, reason] of [
    [['add'], /say whom/],
    [['add', '-u', 'a', '-a', '192.0.2.1'], /not both/],
    [['add', '-u', 'a', '-d', 'soon'], /no duration/],
    [['add', '-a', '10.0.0.0/8'], /one by one/],
    [['lift'], /say which bans/],
    [['lift', 'nothing'], /there is no ban nothing/],
  ] as const) {
    const refused = await cli(t, server, 'bans', ...args)
    assert.equal(refused.status, 1, args.join(' '))
    assert.match(refused.output, reason)
  }
})

test('known devices are listed and forgotten on the command line', async (t) => {
  const server = await start(t)
  await signIn(server.port, 'john')
  const cookie = await signIn(server.port, 'john')
  assert.match((await cli(t, server, 'devices', 'list', '-u', 'john')).output, /^ID +USER/)
  const revoked = await cli(t, server, 'devices', 'revoke', '--user', 'john')
  assert.match(revoked.output, /^2 devices were forgotten/)
  const listed = await server.request('/api/user/devices', {
    headers: { Host: host(server), Cookie: cookie },
  })
  assert.deepEqual(JSON.parse(listed.body).data, [])
})

test('when the database fails nobody signs in: 503, on verify too, and never a yes', async (t) => {
  const server = await start(t)
  const database = new DatabaseSync(`${server.folder}/data/vestibule.sqlite3`)
  database.exec('alter table bans rename to gone')
  for (const password of [PASSWORD, 'wrong']) {
    assert.notEqual(await status(server, password), 200)
    const credentials = Buffer.from(`john:${password}`).toString('base64')
    const basic = await server.request('/api/authz/auth-request', {
      headers: {
        'X-Original-URL': 'http://app.vestibule.localhost/',
        'X-Original-Method': 'GET',
        Authorization: `Basic ${credentials}`,
      },
    })
    assert.ok(basic.status >= 500)
  }
  database.exec('alter table gone rename to bans')
  database.close()
  assert.equal(await status(server), 200)
})
