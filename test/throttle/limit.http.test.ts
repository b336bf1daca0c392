/** What the failure limit answers. How long answers are held back: limit.system.test.ts. */
import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { type BuiltApp, buildApp } from '../support/app.ts'
import { type Answer, PASSWORD } from '../support/server.ts'
import { usersYaml } from '../support/users.ts'

const start = async (t: TestContext, config: Readonly<Record<string, unknown>>) =>
  buildApp(t, { config, users: await usersYaml({ john: {}, gone: { disabled: true } }) })

const attempt = (
  server: BuiltApp,
  password: string,
  { username = 'john', client }: { username?: string; client?: string } = {},
): Promise<Answer> =>
  server.request('/api/firstfactor', {
    method: 'POST',
    headers: {
      Host: `auth.vestibule.localhost:${server.port}`,
      'Content-Type': 'application/json',
      ...(client !== undefined && { 'X-Forwarded-For': client }),
    },
    body: JSON.stringify({ username, password }),
  })

const page = (server: BuiltApp, password: string): Promise<Answer> =>
  server.request('/', {
    method: 'POST',
    headers: {
      Host: `auth.vestibule.localhost:${server.port}`,
      'Content-Type': 'application/x-www-form-urlencoded',
      'Sec-Fetch-Site': 'same-origin',
    },
    body: new URLSearchParams({
      username: 'john',
      password,
      rd: 'http://app.vestibule.localhost/',
    }).toString(),
  })

const basic = (server: BuiltApp, password: string): Promise<Answer> =>
  server.request('/api/authz/auth-request', {
    headers: {
      'X-Original-URL': 'http://app.vestibule.localhost/',
      'X-Original-Method': 'GET',
      Authorization: `Basic ${Buffer.from(`john:${password}`).toString('base64')}`,
    },
  })

suite('the failure limit', () => {
  test('all windows hold, and however many guesses come at once', async (t) => {
    const server = await start(t, { failed_login_rate_limit: '3/hour' })
    const tried = await Promise.all(Array.from({ length: 60 }, () => attempt(server, 'wrong')))
    assert.equal(tried.filter(({ status }) => status === 401).length, 3)
    // The rest is limited, or has found the queue for hashing full.
    assert.ok(tried.every(({ status }) => [401, 429, 503].includes(status)))
    const right = await attempt(server, PASSWORD)
    assert.equal(right.status, 429, 'nor does the right password help by now')
    assert.ok(Number(right.headers['retry-after']) > 3500)
  })

  test('right passwords do not count, also when they come at once', async (t) => {
    const server = await start(t, { failed_login_rate_limit: '1/hour' })
    const tried = await Promise.all([
      ...Array.from({ length: 8 }, () => attempt(server, PASSWORD)),
      ...Array.from({ length: 8 }, () => basic(server, PASSWORD)),
    ])
    assert.deepEqual(
      tried.map(({ status }) => status),
      tried.map(() => 200),
    )
  })

  test('counts an address by itself, and IPv6 by /64', async (t) => {
    const server = await start(t, { failed_login_rate_limit: '1/hour' })
    const status = async (client: string) => (await attempt(server, 'wrong', { client })).status
    assert.equal(await status('198.51.100.1'), 401)
    assert.equal(await status('198.51.100.1'), 429)
    assert.equal(await status('198.51.100.2'), 401)
    assert.equal(await status('2001:db8:1:2::1'), 401)
    assert.equal(await status('2001:db8:1:2:ffff::9'), 429)
    assert.equal(await status('2001:db8:1:3::1'), 401)
  })

  test('on the sign-in page is told in words, with the time', async (t) => {
    const server = await start(t, { failed_login_rate_limit: '1/hour' })
    assert.equal((await page(server, 'wrong')).status, 303)
    const told = await page(server, 'wrong')
    assert.equal(told.status, 429)
    assert.ok(Number(told.headers['retry-after']) > 3500)
    assert.match(told.body, /Too many wrong passwords/)
    assert.match(told.body, /You can try again in (1 hour|59 minutes)/)
    assert.match(told.body, /href="\/\?rd(=|&#61;)http%3A%2F%2Fapp\.vestibule\.localhost%2F"/)
  })
})
