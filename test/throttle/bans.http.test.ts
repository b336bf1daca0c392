/** Regulation, known devices and bans as the application and its API have them. */
import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { type BuiltApp, buildApp } from '../support/app.ts'
import { type Answer, PASSWORD } from '../support/server.ts'
import { CHEAP, usersYaml } from '../support/users.ts'

const start = async (t: TestContext, config: Readonly<Record<string, unknown>> = {}) =>
  buildApp(t, {
    config: {
      regulation: { max_retries: 3, find_time: '1h', ban_time: '1h' },
      ...config,
    },
    users: await usersYaml({ john: {}, bob: {}, root: { groups: ['vestibule-admins'] } }),
  })

const headersFor = (
  { port }: Pick<BuiltApp, 'port'>,
  { client, cookie }: { client?: string | undefined; cookie?: string | undefined },
) => ({
  Host: `auth.vestibule.localhost:${port}`,
  ...(client !== undefined && { 'X-Forwarded-For': client }),
  ...(cookie !== undefined && { Cookie: cookie }),
})

const attempt = (
  server: BuiltApp,
  password: string,
  {
    username = 'john',
    client,
    cookie,
  }: { username?: string; client?: string; cookie?: string } = {},
): Promise<Answer> =>
  server.request('/api/firstfactor', {
    method: 'POST',
    headers: { ...headersFor(server, { client, cookie }), 'Content-Type': 'application/json' },
    body: JSON.stringify({ username, password }),
  })

const api = async (
  server: BuiltApp,
  method: string,
  path: string,
  cookie: string | undefined,
  body?: unknown,
) => {
  const text = body === undefined ? '' : JSON.stringify(body)
  const answer = await server.request(path, {
    method,
    headers: {
      ...headersFor(server, { cookie }),
      // Node frames no body of a DELETE by itself.
      ...(text !== '' && {
        'Content-Type': 'application/json',
        'Content-Length': Buffer.byteLength(text),
      }),
    },
    body: text,
  })
  return { status: answer.status, body: JSON.parse(answer.body) }
}

const basic = (server: BuiltApp, password: string): Promise<Answer> =>
  server.request('/api/authz/auth-request', {
    headers: {
      'X-Original-URL': 'http://app.vestibule.localhost/',
      'X-Original-Method': 'GET',
      Authorization: `Basic ${Buffer.from(`john:${password}`).toString('base64')}`,
    },
  })

/** `name=value` of a cookie that was set. */
function cookieOf({ headers }: Answer, name: string): string {
  const found = headers['set-cookie']?.find((line) => line.startsWith(`${name}=`))
  assert.ok(found !== undefined, `${name} was not set`)
  return found.split(';', 1)[0] ?? ''
}
const sessionOf = (answer: Answer) => cookieOf(answer, 'vestibule_session')
const deviceOf = (answer: Answer) => cookieOf(answer, 'vestibule_session_device')

/** All but what moves with time. */
const face = ({ status, rawHeaders, body }: Answer) => ({
  status,
  headers: rawHeaders.map((text, i) => (rawHeaders[i - 1]?.toLowerCase() === 'date' ? '' : text)),
  body,
})

/** What an administrator is told. */
const bansOf = async (server: BuiltApp): Promise<readonly unknown[]> => {
  const root = sessionOf(await attempt(server, PASSWORD, { username: 'root' }))
  return (await api(server, 'GET', '/api/admin/bans', root)).body.data
}

suite('regulation', () => {
  test('bans a user after three wrong passwords, and the answer does not say so', async (t) => {
    const server = await start(t)
    const wrong = await attempt(server, 'wrong', { client: '198.51.100.1' })
    await attempt(server, 'wrong', { client: '198.51.100.2' })
    await attempt(server, 'wrong', { client: '198.51.100.3' })
    const banned = await attempt(server, PASSWORD, { client: '198.51.100.4' })
    assert.equal(banned.status, 401)
    assert.deepEqual(face(banned), face(wrong))
    const [plain, held] = [await basic(server, 'wrong'), await basic(server, PASSWORD)]
    assert.equal(held.status, 401)
    assert.deepEqual(face(held), face(plain))
    assert.equal((await attempt(server, PASSWORD, { username: 'bob' })).status, 200)
    await server.until(/Unsuccessful 1FA authentication attempt by user 'john'.*198\.51\.100\.4/)
  })

  test('holds four hundred addresses that try one account, and its owner gets in from a known device', async (t) => {
    const server = await start(t, {
      failed_login_rate_limit: '1/second;5/minute;20/hour',
      authentication_backend: {
        ...CHEAP.authentication_backend,
        hashing: { queue: 2000 },
      },
    })
    const device = deviceOf(await attempt(server, PASSWORD))
    const answers = await Promise.all(
      Array.from({ length: 400 }, (_, i) =>
        attempt(server, `guess ${i}`, { client: `203.0.${i >> 8}.${i & 255}` }),
      ),
    )
    assert.ok(answers.every(({ status }) => status === 401 || status === 503))
    assert.equal((await bansOf(server)).length, 1)
    assert.equal((await attempt(server, PASSWORD, { client: '198.51.100.9' })).status, 401)
    const owner = await attempt(server, PASSWORD, { client: '198.51.100.9', cookie: device })
    assert.equal(owner.status, 200)
    assert.notEqual(deviceOf(owner), device, 'another value each time')
    assert.equal(
      (await attempt(server, PASSWORD, { client: '198.51.100.9', cookie: device })).status,
      401,
      'the old one is worth nothing any more',
    )
  })

  test('a hundred thousand made-up names would fill no table: none of them is kept', async (t) => {
    const server = await start(t)
    await Promise.all(
      Array.from({ length: 30 }, (_, i) => attempt(server, 'x', { username: `name ${i}` })),
    )
    assert.deepEqual(await bansOf(server), [])
    assert.equal((await attempt(server, PASSWORD)).status, 200)
  })
})

suite('a known device', () => {
  test('has a cookie for the portal alone, of ninety days', async (t) => {
    const server = await start(t)
    const line = (await attempt(server, PASSWORD)).headers['set-cookie']?.[1] ?? ''
    assert.match(
      line,
      /^vestibule_session_device=[A-Za-z0-9_-]{43}; Max-Age=7776000; Path=\/; Expires=.* GMT; HttpOnly; Secure; SameSite=Lax$/,
    )
    assert.doesNotMatch(line, /Domain/)
  })

  test('has a limit of its own, whatever its address is at', async (t) => {
    const server = await start(t, { failed_login_rate_limit: '1/hour' })
    const cookie = deviceOf(await attempt(server, PASSWORD))
    assert.equal((await attempt(server, 'wrong')).status, 401)
    assert.equal((await attempt(server, PASSWORD)).status, 429)
    assert.equal((await attempt(server, 'wrong', { cookie })).status, 401)
    assert.equal((await attempt(server, PASSWORD, { cookie })).status, 429)
    const other = { cookie, username: 'bob' }
    assert.equal((await attempt(server, PASSWORD, other)).status, 429, 'it is nobody else’s')
  })

  // Four planted cookies in front of the right one made it a stranger's browser.
  test('is known however many device cookies a sibling host plants in front of its own', async (t) => {
    const server = await start(t, { failed_login_rate_limit: '1/hour' })
    const cookie = deviceOf(await attempt(server, PASSWORD))
    assert.equal((await attempt(server, 'wrong')).status, 401)
    const name = cookie.slice(0, cookie.indexOf('='))
    const planted = Array.from({ length: 150 }, (_, i) => `${name}=${`${i}`.padStart(43, 'P')}`)
    const front = [...planted, ...Array<string>(300).fill(`${name}=x`)].join('; ')
    assert.equal(
      (await attempt(server, PASSWORD, { cookie: front })).status,
      429,
      'they are of no use by themselves',
    )
    assert.equal((await attempt(server, PASSWORD, { cookie: `${front}; ${cookie}` })).status, 200)
  })

  test('is listed for its owner, and forgotten when they say so', async (t) => {
    const server = await start(t)
    const answer = await attempt(server, PASSWORD)
    const [session, device] = [sessionOf(answer), deviceOf(answer)]
    const both = `${session}; ${device}`
    await attempt(server, PASSWORD)
    const { body } = await api(server, 'GET', '/api/user/devices', both)
    assert.equal(body.data.length, 2)
    assert.equal(body.data.filter(({ current }: { current: boolean }) => current).length, 1)
    assert.equal(JSON.stringify(body).includes(device.split('=')[1] ?? ''), false)
    assert.equal((await api(server, 'GET', '/api/user/devices', undefined)).status, 403)
    const bob = sessionOf(await attempt(server, PASSWORD, { username: 'bob' }))
    const id = body.data[0].id
    assert.equal((await api(server, 'DELETE', `/api/user/devices/${id}`, bob)).status, 404)
    assert.equal((await api(server, 'DELETE', `/api/user/devices/${id}`, both)).status, 200)
    const left = (await api(server, 'GET', '/api/user/devices', both)).body.data
    assert.deepEqual(left, [body.data[1]])
    const [removed] = await server.until(/^.*device\.removed.*$/m)
    assert.match(removed, /actor="user:john".* user=john/)
  })
})

suite('bans', () => {
  test('are an administrator’s over the API, and nobody else’s', async (t) => {
    const server = await start(t)
    const root = sessionOf(await attempt(server, PASSWORD, { username: 'root' }))
    const bob = sessionOf(await attempt(server, PASSWORD, { username: 'bob' }))
    const path = '/api/admin/bans'
    for (const cookie of [undefined, bob])
      for (const method of ['GET', 'POST', 'DELETE'])
        assert.equal(
          (await api(server, method, path, cookie, method === 'GET' ? undefined : { user: 'john' }))
            .status,
          403,
        )
    assert.equal((await attempt(server, PASSWORD)).status, 200)

    const added = await api(server, 'POST', path, root, {
      user: 'john',
      reason: 'why',
      duration: '1h',
    })
    assert.equal(added.status, 200)
    assert.equal(added.body.data.by, 'root')
    assert.equal((await attempt(server, PASSWORD)).status, 401)
    const listed = await api(server, 'GET', path, root)
    assert.deepEqual(listed.body.data, [added.body.data])
    const { id } = added.body.data
    assert.equal((await api(server, 'DELETE', `${path}/${id}`, root)).status, 200)
    assert.equal((await api(server, 'DELETE', `${path}/${id}`, root)).status, 404)
    assert.equal((await attempt(server, PASSWORD)).status, 200)

    const permanent = await api(server, 'POST', path, root, {
      address: '192.0.2.7',
      permanent: true,
    })
    assert.equal(permanent.body.data.expires_at, null)
    const lifted = await api(server, 'DELETE', path, root, { address: '192.0.2.7' })
    assert.equal(lifted.body.data.lifted.length, 1)
    for (const body of [
      {},
      { user: 'a', address: '192.0.2.1' },
      { user: 'a', duration: 'soon' },
      { user: 'a', duration: '1h', permanent: true },
      { address: '10.0.0.0/8' },
    ])
      assert.equal((await api(server, 'POST', path, root, body)).status, 400, JSON.stringify(body))
  })
})
