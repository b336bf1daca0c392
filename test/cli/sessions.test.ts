import assert from 'node:assert/strict'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { commandsOf } from '../../src/control/commands.ts'
import { socketPath } from '../../src/control/protocol.ts'
import { openControlServer } from '../../src/control/server.ts'
import { sessionOperations } from '../../src/features/sessions/operations.ts'
import { bindOperations } from '../../src/kernel/operation.ts'
import { runCli, temporaryDirectory } from '../support/cli.ts'

const NOON = Date.UTC(2026, 0, 15, 12)

/** A server's control socket over three sessions in memory. */
async function start(t: TestContext) {
  const directory = temporaryDirectory(t)
  const session = (id: string, user: string, userAgent: string) => ({
    id,
    domain: 'example.com',
    user,
    factors: [{ kind: 'password' }],
    createdAt: NOON,
    lastSeen: NOON + 60_000,
    expiresAt: NOON + 3_600_000,
    remembered: id === 'b',
    address: '192.0.2.1',
    userAgent,
  })
  const alive = new Map(
    [
      session('a', 'john', 'Firefox'),
      session('b', 'john', '\x1b]0;owned\x07'),
      session('c', 'mary', 'Safari'),
    ].map((made) => [made.id, made]),
  )
  const of = (user?: string) =>
    [...alive.values()].filter((s) => user === undefined || s.user === user)
  const audit = { record() {} }
  const sessions = {
    list: async (user?: string) => of(user),
    revokeById: async (id: string) => (alive.delete(id) ? [id] : []),
    revokeUser: async (user: string) => of(user).filter(({ id }) => alive.delete(id)).length,
  }
  const commands = commandsOf(bindOperations(sessionOperations, { sessions, audit }))
  const path = socketPath(directory)
  const server = await openControlServer({ path, commands, log: { error() {}, debug() {} } })
  t.after(() => server.close())
  const env = { VESTIBULE_DATA_DIRECTORY: directory }
  return { alive, ran: (...argv: string[]) => runCli(t, ['sessions', ...argv], { env }) }
}

test('sessions are listed as a table whose text from outside moves no cursor', async (t) => {
  const { ran } = await start(t)
  const { status, out } = await ran('list')
  assert.equal(status, 0)
  const lines = out.split('\n')
  assert.match(lines[0] ?? '', /^ID +USER +SIGNED IN +LAST SEEN +EXPIRES +ADDRESS/)
  assert.match(
    lines[1] ?? '',
    /^a +john +2026-01-15 12:00:00Z +2026-01-15 12:01:00Z +.*192\.0\.2\.1.*Firefox$/,
  )
  assert.match(lines[2] ?? '', /\(remembered\).*\\u001b\]0;owned\\u0007$/)
  assert.match((await ran('list', '--user', 'nobody')).out, /There are no sessions/)
  const rows = JSON.parse((await ran('list', '--user', 'mary', '--json')).out)
  assert.deepEqual([rows.length, rows[0].id, rows[0].createdAt], [1, 'c', NOON])
})

test('sessions are revoked by id, of a user, or all', async (t) => {
  const { ran, alive } = await start(t)
  assert.equal((await ran('revoke', 'a')).out, '1 session was revoked.\n')
  const unknown = await ran('revoke', 'a', 'c')
  assert.deepEqual([unknown.status, unknown.out], [1, '1 session was revoked.\n'])
  assert.match(unknown.err, /there is no session a/)
  assert.equal((await ran('revoke', '--user', 'john')).out, '1 session was revoked.\n')
  assert.equal((await ran('revoke', '--all')).out, '0 sessions were revoked.\n')
  assert.equal(alive.size, 0)
})

test('revoking without saying which, or in two ways, revokes nothing', async (t) => {
  const { ran, alive } = await start(t)
  for (const argv of [[], ['a', '--all'], ['--user', 'john', '--all'], ['a', '--user', 'john']]) {
    const { status, err } = await ran('revoke', ...argv)
    assert.equal(status, 1)
    assert.match(err, /say which sessions/)
  }
  assert.equal(alive.size, 3)
})

test('without a running server the answer says where one was looked for', async (t) => {
  const cwd = temporaryDirectory(t)
  const { status, err } = await runCli(t, ['sessions', 'list'], { cwd })
  assert.equal(status, 1)
  assert.ok(err.includes(`no server is running on the data directory ${join(cwd, 'data')};`), err)
})
