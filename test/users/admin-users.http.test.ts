/** Users over the admin API. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type BuiltApp, buildApp } from '../support/app.ts'
import { PASSWORD } from '../support/server.ts'
import { usersYaml } from '../support/users.ts'

const ADMINS = ['vestibule-admins']

async function start(t: TestContext) {
  const server = await buildApp(t, {
    users: await usersYaml({
      root: { groups: ADMINS },
      john: { email: 'john@example.com', groups: ['dev'] },
      bob: {},
    }),
  })
  const host = { Host: `auth.vestibule.localhost:${server.port}` }
  const send = async (
    method: string,
    path: string,
    { cookie, body, ...headers }: { cookie?: string; body?: unknown; 'If-Match'?: string } = {},
  ) => {
    const text = body === undefined ? '' : JSON.stringify(body)
    const answer = await server.request(path, {
      method,
      headers: {
        ...host,
        ...headers,
        ...(cookie !== undefined && { Cookie: cookie }),
        ...(text !== '' && {
          'Content-Type': 'application/json',
          'Content-Length': Buffer.byteLength(text),
        }),
      },
      body: text,
    })
    return {
      status: answer.status,
      etag: String(answer.headers['etag'] ?? ''),
      cookie: answer.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? '',
      body: JSON.parse(answer.body === '' ? '{}' : answer.body),
    }
  }
  const signIn = async (username: string, password = PASSWORD) =>
    send('POST', '/api/firstfactor', { body: { username, password } })
  return { server, send, signIn, cookie: (await signIn('root')).cookie }
}

const isSignedIn = async ({ request, port }: BuiltApp, cookie: string): Promise<boolean> => {
  const { status } = await request('/api/authz/auth-request', {
    headers: {
      'X-Original-URL': `http://app.vestibule.localhost:${port}/`,
      'X-Original-Method': 'GET',
      Cookie: cookie,
    },
  })
  return status === 200
}

test('users are added, shown, searched, changed and deleted', async (t) => {
  const { send, signIn, cookie, server } = await start(t)
  const given = { username: 'ann', display_name: 'Ann Bee', email: 'ann@example.com' }
  const added = await send('POST', '/api/admin/users', {
    ...{ cookie, body: { ...given, groups: ['dev'], password: 'first of ann' } },
  })
  assert.equal(added.status, 201)
  const row = {
    ...{ ...given, groups: ['dev'], disabled: false, expires_at: null },
    ...{ must_change_password: false, factors: [], last_sign_in: null, source: 'file' },
  }
  assert.deepEqual(added.body, { status: 'OK', data: row })
  const again = await send('POST', '/api/admin/users', { cookie, body: given })
  assert.equal(again.status, 409)

  const found = await send('GET', '/api/admin/users?search=bee&limit=1', { cookie })
  assert.deepEqual(found.body.data, { users: [row], next: null })
  const page = await send('GET', '/api/admin/users?limit=2', { cookie })
  assert.deepEqual(
    page.body.data.users.map((one: { username: string }) => one.username),
    ['ann', 'bob'],
  )
  assert.equal(page.body.data.next, 'bob')
  const developers = await send('GET', '/api/admin/users?group=dev&disabled=false', { cookie })
  assert.equal(developers.body.data.users.length, 2)

  const ann = await signIn('ann', 'first of ann')
  assert.equal(await isSignedIn(server, ann.cookie), true)
  const shown = await send('GET', '/api/admin/users/ann', { cookie })
  assert.match(shown.body.data.last_sign_in, /^2026-/)
  const disabled = await send('PATCH', '/api/admin/users/ann', {
    ...{ cookie, body: { disabled: true }, 'If-Match': shown.etag },
  })
  assert.equal(disabled.status, 200)
  assert.equal(disabled.body.data.disabled, true)
  assert.equal(await isSignedIn(server, ann.cookie), false)

  assert.equal((await send('DELETE', '/api/admin/users/ann', { cookie })).status, 200)
  assert.equal((await send('GET', '/api/admin/users/ann', { cookie })).status, 404)
})

test('of two administrators who change one user, the second reads that it was changed', async (t) => {
  const { send, cookie } = await start(t)
  const { etag } = await send('GET', '/api/admin/users/john', { cookie })
  assert.match(etag, /^"[^"]+"$/)
  const change = (display_name: string, tag: string) =>
    send('PATCH', '/api/admin/users/john', { cookie, body: { display_name }, 'If-Match': tag })
  const first = await change('J', etag)
  assert.equal(first.status, 200)
  assert.notEqual(first.etag, etag)
  assert.equal((await change('K', etag)).status, 412)
  assert.equal((await change('K', 'W/"x"')).status, 412)
  assert.equal((await change('K', first.etag)).status, 200)
  const late = { cookie, 'If-Match': etag }
  assert.equal((await send('DELETE', '/api/admin/users/john', late)).status, 412)
})

test('administrators do not lock themselves out, and the last one stays', async (t) => {
  const { send, cookie } = await start(t)
  const own = '/api/admin/users/root'
  const past = '2020-01-01T00:00:00Z'
  for (const body of [{ disabled: true }, { groups: ['dev'] }, { expires_at: past }])
    assert.equal((await send('PATCH', own, { cookie, body })).status, 409, JSON.stringify(body))
  assert.equal((await send('DELETE', own, { cookie })).status, 409)
  assert.equal((await send('PATCH', own, { cookie, body: { display_name: 'R' } })).status, 200)
})

test('a set password ends the sessions and may have to be changed', async (t) => {
  const { send, signIn, cookie, server } = await start(t)
  const john = await signIn('john')
  const answer = await send('PUT', '/api/admin/users/john/password', {
    ...{ cookie, body: { password: 'a new one of john', must_change_password: true } },
  })
  assert.deepEqual([answer.status, answer.body], [200, { status: 'OK' }])
  assert.equal(await isSignedIn(server, john.cookie), false)
  const { body } = await send('GET', '/api/admin/users/john', { cookie })
  assert.equal(body.data.must_change_password, true)
  const bad = await send('PUT', '/api/admin/users/john/password', {
    ...{ cookie, body: { password: '' } },
  })
  assert.equal(bad.status, 400)
})

test('what is wrong with a user is said by field', async (t) => {
  const { send, cookie } = await start(t)
  const { status, body } = await send('POST', '/api/admin/users', {
    ...{ cookie, body: { username: ' x', display_name: 'X', email: 'none' } },
  })
  assert.equal(status, 400)
  assert.deepEqual(
    body.data.faults.map(({ field }: { field: string }) => field),
    ['username', 'email'],
  )
  for (const broken of [
    { username: 'x' },
    { display_name: 'X' },
    { username: 'x', display_name: 'X', admin: 1 },
    { username: 'x', display_name: 'X', expires_at: 'soon' },
  ])
    assert.equal((await send('POST', '/api/admin/users', { cookie, body: broken })).status, 400)
  for (const query of [
    'limit=0',
    'limit=x',
    'limit=1001',
    'disabled=maybe',
    'a=1',
    'search=a&search=b',
  ])
    assert.equal((await send('GET', `/api/admin/users?${query}`, { cookie })).status, 400, query)
})

test('only administrators may, and they confirm that it is them before they write', async (t) => {
  const { send, signIn, cookie, server } = await start(t)
  const john = (await signIn('john')).cookie
  const user = '/api/admin/users/john'
  const asked = [
    ['GET', '/api/admin/users'],
    ['POST', '/api/admin/users'],
    ['GET', user],
    ['PATCH', user],
    ['DELETE', user],
    ['PUT', `${user}/password`],
    ['DELETE', `${user}/factors`],
    ['DELETE', `${user}/sessions`],
  ] as const
  for (const [method, path] of asked) {
    assert.equal((await send(method, path)).status, 403, `${method} ${path}`)
    assert.equal((await send(method, path, { cookie: john })).status, 403, `${method} ${path}`)
  }
  // The elevation ends after ten minutes; the session goes on while it is used.
  for (let i = 0; i < 4; i++) {
    server.clock.advance(3 * 60_000)
    assert.equal(await isSignedIn(server, cookie), true)
  }
  for (const [method, path] of asked) {
    const { status, body } = await send(method, path, { cookie })
    assert.equal(status, method === 'GET' ? 200 : 403, `${method} ${path}`)
    if (method !== 'GET') assert.match(body.message, /Confirm/)
  }
})

test('factors are reset and sessions ended', async (t) => {
  const { send, signIn, cookie, server } = await start(t)
  const john = await signIn('john')
  const ended = await send('DELETE', '/api/admin/users/john/sessions', { cookie })
  assert.deepEqual(ended.body, { status: 'OK', data: { revoked: 1 } })
  assert.equal(await isSignedIn(server, john.cookie), false)
  const reset = await send('DELETE', '/api/admin/users/john/factors', { cookie })
  assert.deepEqual(reset.body, { status: 'OK', data: { removed: 0 } })
})

test('without an admin area there is no such API', async (t) => {
  const server = await buildApp(t, {
    config: { admin: { disable: true } },
    users: await usersYaml({ root: { groups: ADMINS } }),
  })
  const { status } = await server.request('/api/admin/users', {
    headers: { Host: `auth.vestibule.localhost:${server.port}` },
  })
  assert.equal(status, 404)
})

test('who has to change the password comes to that page after the sign-in, until it is changed', async (t) => {
  const { send, signIn, cookie, server } = await start(t)
  const body = { password: 'for the first day', must_change_password: true }
  await send('PUT', '/api/admin/users/john/password', { cookie, body })
  const john = await signIn('john', body.password)
  const open = () =>
    server.request('/', {
      headers: { Host: `auth.vestibule.localhost:${server.port}`, Cookie: john.cookie },
    })
  const led = await open()
  assert.equal(led.status, 302)
  assert.match(String(led.headers['location']), /\/settings\/password$/)
  await send('PATCH', '/api/admin/users/john', { cookie, body: { must_change_password: false } })
  assert.equal((await open()).status, 200)
})
