import assert from 'node:assert/strict'
import { test } from 'node:test'
import { runCli } from '../support/cli.ts'
import { PASSWORD, signIn, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

test('the audit trail is listed, from a running server and without one', async (t) => {
  const server = await startServer(t, {
    config: CHEAP,
    users: await usersYaml({ john: {}, jane: {} }),
  })
  const attempt = (username: string, password: string) =>
    server.request('/api/firstfactor', {
      method: 'POST',
      headers: {
        Host: `auth.vestibule.localhost:${server.port}`,
        'Content-Type': 'application/json',
        'User-Agent': FIREFOX,
      },
      body: JSON.stringify({ username, password }),
    })
  await attempt('john', 'wrong')
  await attempt('john', PASSWORD)
  await signIn(server.port, 'jane')

  const list = async (...args: string[]) => {
    const argv = ['-c', server.configFile, 'audit', 'list', ...args]
    const { status, out, err } = await runCli(t, argv, { cwd: server.folder })
    return { status, text: out + err }
  }
  const look = async () => {
    const all = await list()
    assert.equal(all.status, 0, all.text)
    const [head = '', ...lines] = all.text.trim().split('\n')
    assert.match(head, /^TIME +EVENT +USER +BY +ADDRESS +BROWSER +DETAILS$/)
    const events = lines.map((line) => line.split(/ {2,}/)[1])
    assert.ok(events.includes('login.failed') && events.includes('login.succeeded'), all.text)
    const failed = lines.find((line) => line.includes('login.failed'))
    assert.match(failed ?? '', /john +unknown +127\.0\.0\.1 +Firefox on Linux +.*reason=password/)
    const some = await list('--user', 'john', '--event', 'login.failed,login.succeeded', '--json')
    const rows: { name: string; user: string }[] = JSON.parse(some.text)
    assert.deepEqual(
      rows.map(({ name, user }) => [name, user]),
      [
        ['login.succeeded', 'john'],
        ['login.failed', 'john'],
      ],
    )
    assert.equal(JSON.parse((await list('--json', '--limit', '1')).text).length, 1)
    assert.match((await list('--user', 'mary')).text, /There are no such events/)
    const wrong = await list('--event', 'login.fialed')
    assert.equal(wrong.status, 1)
    assert.match(wrong.text, /there is no event "login\.fialed"; the events are login\.succeeded, /)
    assert.match((await list('--since', 'soon')).text, /"soon" is no duration/)
  }
  await look()
  await server.stop()
  await look()
})
