import assert from 'node:assert/strict'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { before, suite, test } from 'node:test'
import { suiteCleanup } from '../support/cleanup.ts'
import { PASSWORD, type RunningServer, run, signIn, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'
import { verdict } from '../support/verdict.ts'

suite('the command line beside a running server', () => {
  const t = suiteCleanup()
  let server: RunningServer

  before(async () => {
    server = await startServer(t, { config: CHEAP, users: await usersYaml({ john: {}, bob: {} }) })
  })
  /** `vestibule …` in the folder whose config.yml the server was started with. */
  const vestibule = async (...args: string[]) => {
    const command = run(args, { folder: server.folder })
    return { status: await command.ended, output: command.output() }
  }
  const statusOf = async (cookie: string): Promise<number> =>
    (await verdict(server.port, cookie)).status

  test('sessions are listed without anything that opens a door, and a revoked one opens none at once', async () => {
    const [first, second, other] = [
      await signIn(server.port, 'john'),
      await signIn(server.port, 'john'),
      await signIn(server.port, 'bob'),
    ] as const
    const listed = await vestibule('sessions', 'list', '--json')
    assert.equal(listed.status, 0, listed.output)
    const rows: { id: string; user: string; address: string }[] = JSON.parse(listed.output)
    assert.deepEqual(rows.map(({ user }) => user).sort(), ['bob', 'john', 'john'])
    assert.equal(rows[0]?.address, '127.0.0.1')
    for (const cookie of [first, second, other])
      assert.ok(!listed.output.includes(cookie.slice(cookie.indexOf('=') + 1)))

    // Newest first: the second sign-in of john comes before the first.
    const id = rows.filter(({ user }) => user === 'john')[1]?.id ?? ''
    for (const cookie of [first, second, other]) assert.equal(await statusOf(cookie), 200)
    assert.deepEqual(await vestibule('sessions', 'revoke', id), {
      status: 0,
      output: '1 session was revoked.\n',
    })
    assert.deepEqual(
      [await statusOf(first), await statusOf(second), await statusOf(other)],
      [401, 200, 200],
    )
    const again = await vestibule('sessions', 'revoke', id)
    assert.equal(again.status, 1)
    assert.match(again.output, /there is no session/)

    assert.equal((await vestibule('sessions', 'revoke', '--user', 'john')).status, 0)
    assert.deepEqual([await statusOf(second), await statusOf(other)], [401, 200])
    assert.equal((await vestibule('sessions', 'revoke', '--all')).status, 0)
    assert.equal(await statusOf(other), 401)
    assert.match((await vestibule('sessions', 'list')).output, /There are no sessions/)
    // Nobody is shut out by that.
    assert.equal(await statusOf(await signIn(server.port, 'john', PASSWORD)), 200)
  })

  test('healthcheck is 0 while the server answers, and 1 when it is gone; so are questions about sessions', async () => {
    assert.deepEqual(await vestibule('healthcheck'), { status: 0, output: 'healthy\n' })
    await server.stop()
    const gone = await vestibule('healthcheck')
    assert.equal(gone.status, 1)
    assert.match(gone.output, /^vestibule: the server does not answer on .*\(ECONNREFUSED\)\n$/)
    const list = await vestibule('sessions', 'list')
    assert.equal(list.status, 1)
    assert.match(list.output, /^vestibule: no server is running on the data directory [^\n]*\n$/)
  })
})

test('config validate accepts the example, and says all that is wrong with another file', async (t) => {
  // The folder of the log has to be there.
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-example-'))
  t.after(() => rmSync(folder, { recursive: true, force: true }))
  const example = readFileSync('config.example.yml', 'utf8')
  writeFileSync(
    join(folder, 'config.example.yml'),
    example.replaceAll(/\/var\/(?:lib|log)\/vestibule/g, folder),
  )
  const good = run(['config', 'validate', '--config', 'config.example.yml'], { folder })
  assert.equal(await good.ended, 0, good.output())
  assert.match(good.output(), /config\.example\.yml: valid/)
  const bad = run(['config', 'validate', '--config', 'docker-compose.yml'], {
    folder: resolve('.'),
  })
  assert.equal(await bad.ended, 1)
  assert.match(bad.output(), /^docker-compose\.yml:\d+:\d+ services: /m)
})
