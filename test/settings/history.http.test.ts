import assert from 'node:assert/strict'
import { before, suite, test } from 'node:test'
import { type BuiltApp, buildApp } from '../support/app.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { PASSWORD } from '../support/server.ts'
import { usersYaml } from '../support/users.ts'

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

interface Told {
  readonly id: string
  readonly time: string
  readonly event: string
  readonly address: string
  readonly user_agent: string
  readonly details: Readonly<Record<string, unknown>>
}

suite('own sign-ins and failures', () => {
  const t = suiteCleanup()
  let server: BuiltApp
  before(async () => {
    server = await buildApp(t, {
      users: await usersYaml({ john: {}, mary: {}, harry: {} }),
    })
  })

  const headers = (more: Readonly<Record<string, string>> = {}) => ({
    Host: `auth.vestibule.localhost:${server.port}`,
    ...more,
  })
  const attempt = (
    username: string,
    password: string,
    more: Readonly<Record<string, string>> = {},
  ) =>
    server.request('/api/firstfactor', {
      method: 'POST',
      headers: headers({ 'Content-Type': 'application/json', 'User-Agent': FIREFOX, ...more }),
      body: JSON.stringify({ username, password }),
    })
  const cookieOf = (user: string) => server.signIn(user)
  const history = async (Cookie: string, query = ''): Promise<readonly Told[]> => {
    const answer = await server.request(`/api/user/history${query}`, {
      headers: headers({ Cookie }),
    })
    assert.equal(answer.status, 200, answer.body)
    return JSON.parse(answer.body).data
  }

  test('are told to their owner: when, where from, with what, and from a new device or not', async () => {
    await attempt('john', 'wrong', { 'X-Forwarded-For': '203.0.113.9', 'User-Agent': 'curl/8.0' })
    const first = await attempt('john', PASSWORD, { 'X-Forwarded-For': '203.0.113.5' })
    const cookies = (first.headers['set-cookie'] ?? []).map((one) => one.split(';', 1)[0])
    const again = await attempt('john', PASSWORD, {
      'X-Forwarded-For': '203.0.113.6',
      Cookie: cookies.join('; '),
    })
    const Cookie = again.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''
    await server.request('/api/logout', {
      method: 'POST',
      headers: headers({ 'Content-Type': 'application/json', Cookie }),
      body: '{}',
    })
    const told = await history(await cookieOf('john'))
    assert.deepEqual(
      told.slice(1).map(({ event, address, details }) => [event, address, details['new_device']]),
      [
        ['session.ended', '127.0.0.1', undefined],
        ['login.succeeded', '203.0.113.6', false],
        ['login.succeeded', '203.0.113.5', true],
        ['login.failed', '203.0.113.9', undefined],
      ],
    )
    assert.deepEqual(
      told.slice(3).map(({ user_agent }) => user_agent),
      [FIREFOX, 'curl/8.0'],
    )
    for (const { time } of told) assert.ok(Math.abs(Date.parse(time) - server.clock.now()) < 60_000)
  })

  test('are told to nobody else', async () => {
    await attempt('john', 'wrong', { 'X-Forwarded-For': '203.0.113.77' })
    const told = await history(await cookieOf('mary'))
    assert.deepEqual(
      told.map(({ event }) => event),
      ['login.succeeded'],
    )
    const stranger = await server.request('/api/user/history', { headers: headers() })
    assert.equal(stranger.status, 403)
    assert.doesNotMatch(stranger.body, /login|203\.0/)
    for (const path of ['/settings/history']) {
      const page = await server.request(path, { headers: headers() })
      assert.deepEqual([page.status, page.headers.location], [302, '/'], path)
    }
  })

  test('come page by page, and odd queries are no questions', async () => {
    for (let i = 0; i < 5; i++)
      await Promise.all([1, 2, 3, 4, 5, 6].map(() => attempt('harry', 'wrong')))
    const Cookie = await cookieOf('harry')
    const all = await history(Cookie, '?limit=100')
    assert.equal(all.length, 31)
    const page = await history(Cookie, '?limit=10')
    const next = await history(Cookie, `?limit=10&before=${page.at(-1)?.id}`)
    assert.deepEqual([...page, ...next], all.slice(0, 20))
    for (const odd of ['?limit=0', '?limit=9999', '?limit=x', '?before=1', '?limit=1&limit=2'])
      assert.deepEqual(await history(Cookie, odd), all.slice(0, 25), odd)
    const shown = await server.request('/settings/history', { headers: headers({ Cookie }) })
    assert.equal(shown.status, 200)
    assert.equal(shown.body.match(/<li class="entry"/g)?.length, 25)
    const older = /href="(\/settings\/history\?before=[0-9a-f]{32})"/.exec(shown.body)?.[1] ?? ''
    const last = await server.request(older, { headers: headers({ Cookie }) })
    assert.equal(last.body.match(/<li class="entry"/g)?.length, 6)
    assert.doesNotMatch(last.body, /Older/)
  })

  test('show what browsers call themselves as text, or not at all', async () => {
    await attempt('mary', 'wrong', { 'User-Agent': '<img src=x onerror=alert(1)>' })
    const Cookie = await cookieOf('mary')
    const { body, headers: sent } = await server.request('/settings/history', {
      headers: headers({ Cookie }),
    })
    assert.match(body, /Unknown browser/)
    assert.doesNotMatch(body, /<img|<script(?! src="\/static\/)/)
    assert.match(String(sent['content-security-policy']), /default-src 'none'/)
    assert.equal(sent['cache-control'], 'no-store')
  })
})
