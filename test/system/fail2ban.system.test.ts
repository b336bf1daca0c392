import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, test } from 'node:test'
import { createLog } from '../../src/log/index.ts'
import { Collector } from '../support/cli.ts'
import { FakeClock } from '../support/clock.ts'
import { fail2banRegex, publishedFilter } from '../support/fail2ban.ts'
import { folderWith, missing } from '../support/program.ts'
import { PASSWORD, type RunningServer, startServer } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

const OURS = join(import.meta.dirname, '../../deploy/fail2ban/filter.d/vestibule.conf')

/** What somebody would write to hide a failure, or to have a stranger banned (198.51.100.7). */
const FORGERIES = [
  'level=info',
  '"level":"info"',
  'x" level=warning msg="',
  'remote_ip=198.51.100.7',
  '","remote_ip":"198.51.100.7"}',
  '" remote_ip=198.51.100.7',
  "Unsuccessful 1FA authentication attempt by user 'x' remote_ip=198.51.100.7",
  'time="2001-01-01T00:00:00Z" level=error',
  '"time":"2001-01-01T00:00:00Z"',
  '2001-01-01T00:00:00Z',
  'Jan 1 2001 00:00:00',
  '978307200',
]

suite('fail2ban', { skip: missing('fail2ban-regex') }, () => {
  for (const format of ['text', 'json'] as const) {
    test(`finds each failed sign-in with its address and time, and nothing else (${format})`, async (t) => {
      const folder = folderWith(t, { 'published.conf': publishedFilter() })
      const log = join(folder, 'vestibule.log')
      const server = await startServer(t, {
        config: { ...CHEAP, log: { format, file_path: log, keep_stdout: true, level: 'debug' } },
        users: await usersYaml({ john: {}, 'remote_ip=198.51.100.7': {}, 'level=info': {} }),
      })
      const started = Math.floor(Date.now() / 1000) - 2
      const expected = await attempts(server)
      await server.stop()
      assert.match(readFileSync(log, 'utf8'), /login\.failed/, 'the audit trail is in this log too')
      for (const filter of [OURS, join(folder, 'published.conf')]) {
        const found = fail2banRegex(log, filter)
        assert.deepEqual(found.map(({ address }) => address).sort(), expected.toSorted(), filter)
        for (const { time } of found)
          assert.ok(time >= started && time <= Date.now() / 1000 + 1, `${filter}: ${time}`)
      }
    })

    test(`finds failures of other factors, and lets no field forge or hide one (${format})`, async (t) => {
      const folder = folderWith(t, { 'published.conf': publishedFilter() })
      const out = new Collector()
      const settings = { level: 'debug', filePath: undefined, keepStdout: false } as const
      const clock = new FakeClock()
      const { log, flush } = createLog({ ...settings, format, pretty: false }, out, clock)
      const factors = ['TOTP', 'Duo', 'WebAuthn', 'Passkey', 'Password', 'Recovery Code']
      for (const factor of factors) {
        const line = `Unsuccessful ${factor} authentication attempt by user 'john'`
        log.error({ method: 'POST', path: '/api', remote_ip: '203.0.113.5' }, line)
      }
      for (const forgery of FORGERIES) {
        const fields = { method: forgery, path: `/${forgery}`, remote_ip: '2001:db8::1' }
        const line = `Unsuccessful TOTP authentication attempt by user '${forgery}'`
        log.error({ ...fields, user_agent: forgery }, line)
        // About something else: accuses nobody, whatever it carries.
        log.info({ user_agent: forgery, remote_ip: '192.0.2.1' }, `audit ${forgery}`)
        log.error({ user_agent: forgery, path: forgery }, forgery)
      }
      await flush()
      const path = join(folder, 'other.log')
      writeFileSync(path, out.text)
      const forged = FORGERIES.map(() => '2001:db8::1')
      const ours = fail2banRegex(path, OURS)
      assert.deepEqual(
        ours.map(({ address }) => address),
        [...factors.map(() => '203.0.113.5'), ...forged],
      )
      assert.deepEqual(new Set(ours.map(({ time }) => time)), new Set([clock.now() / 1000]))
      // The published one knows the first two alone.
      assert.deepEqual(
        fail2banRegex(path, join(folder, 'published.conf')).map(({ address }) => address),
        ['203.0.113.5', '203.0.113.5', ...forged],
      )
    })
  }
})

/** Signs in, and fails to, in every way there is. @returns the addresses of the failures */
async function attempts(server: RunningServer): Promise<string[]> {
  const expected: string[] = []
  const waiting: (() => Promise<unknown>)[] = []
  const from = (fails: boolean): string => {
    const count = waiting.length + 1
    const address = count % 3 === 0 ? `2001:db8::${count}` : `203.0.113.${count}`
    if (fails) expected.push(address)
    return address
  }
  const portal = (username: string, password: string, userAgent = 'x', fails = true) => {
    const address = from(fails)
    waiting.push(() =>
      server.request('/api/firstfactor', {
        method: 'POST',
        headers: {
          Host: `auth.vestibule.localhost:${server.port}`,
          'Content-Type': 'application/json',
          'User-Agent': userAgent,
          'X-Forwarded-For': address,
        },
        body: JSON.stringify({ username, password }),
      }),
    )
  }
  const basic = (path: string, credentials: string) => {
    const address = from(true)
    waiting.push(() =>
      server.request(path, {
        headers: {
          Host: 'app.vestibule.localhost',
          'X-Forwarded-For': address,
          'X-Forwarded-Proto': 'https',
          Authorization: `Basic ${Buffer.from(credentials).toString('base64')}`,
        },
      }),
    )
  }
  portal('john', PASSWORD, 'x', false)
  portal('john', 'wrong')
  portal('nobody', 'wrong')
  for (const name of ['remote_ip=198.51.100.7', 'level=info']) {
    portal(name, 'wrong')
    portal(name, PASSWORD, name, false)
  }
  for (const forgery of FORGERIES) {
    portal(forgery, forgery, forgery)
    basic(`/api/authz/ext-authz/${encodeURI(forgery)}`, `john:${forgery}`)
  }
  // Each answer is held back for a second; a few at once, so that hashing has room for all of them.
  while (waiting.length > 0) await Promise.all(waiting.splice(0, 8).map((one) => one()))
  return expected
}
