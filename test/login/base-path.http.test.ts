import assert from 'node:assert/strict'
import { test } from 'node:test'
import { buildApp } from '../support/app.ts'
import { PASSWORD } from '../support/server.ts'
import { usersYaml } from '../support/users.ts'

test('below a base path every link, form, file and redirect keeps it, and verify answers with and without', async (t) => {
  const server = await buildApp(t, {
    config: {
      server: { address: 'tcp://127.0.0.1:9091/auth' },
      session: { cookies: [{ domain: 'example.com', portal_url: 'https://example.com/auth' }] },
      access_control: {
        default_policy: 'deny',
        rules: [{ domain: 'app.example.com', policy: 'one_factor' }],
      },
    },
    users: await usersYaml({ john: {} }),
  })
  const headers = { Host: 'example.com' }
  const page = await server.request('/auth/', { headers })
  assert.equal(page.status, 200)
  const links = [...page.body.matchAll(/(?:href|src|action)="(\/[^"]*)"/g)].map(
    ([, url]) => url ?? '',
  )
  assert.ok(links.length >= 3, String(links))
  for (const link of links) assert.match(link, /^\/auth\//)
  for (const link of links.filter((url) => url.includes('/static/')))
    assert.equal((await server.request(link, { headers })).status, 200, link)
  assert.equal((await server.request('/auth', { headers })).status, 200)
  assert.equal((await server.request('/auth?rd=x', { headers })).status, 200)
  assert.equal((await server.request('/authx/', { headers })).status, 404)
  assert.equal((await server.request('/auth/auth/', { headers })).status, 404)

  const form = {
    method: 'POST',
    headers: {
      ...headers,
      Origin: 'https://example.com',
      'Content-Type': 'application/x-www-form-urlencoded',
    },
  }
  const wrong = await server.request('/auth/', { ...form, body: 'username=john&password=x' })
  assert.equal(wrong.headers.location, '/auth/?failed=')
  const right = await server.request('/auth/', {
    ...form,
    body: new URLSearchParams({ username: 'john', password: PASSWORD }).toString(),
  })
  assert.equal(right.headers.location, '/auth/?signed-in=')
  const cookie = right.headers['set-cookie']?.[0]?.split(';', 1)[0] ?? ''
  const ask = (path: string, more: Record<string, string>) =>
    server.request(path, {
      headers: {
        'X-Original-URL': 'https://app.example.com/',
        'X-Original-Method': 'GET',
        Accept: 'text/html',
        ...more,
      },
    })
  for (const path of ['/auth/verify', '/verify', '/auth/api/authz/auth-request']) {
    assert.equal((await ask(path, { Cookie: cookie })).status, 200, path)
    assert.equal(
      (await ask(path, {})).headers.location,
      'https://example.com/auth/?rd=https%3A%2F%2Fapp.example.com%2F&rm=GET',
    )
  }
  const tail = await server.request('/auth/api/authz/ext-authz/x?y', {
    headers: { Host: 'app.example.com', 'X-Forwarded-Proto': 'https', Accept: 'text/html' },
  })
  assert.match(tail.headers.location ?? '', /rd=https%3A%2F%2Fapp\.example\.com%2Fx%3Fy&/)

  // The origin is an app's as well: what that keeps in the browser is not ours to clear.
  const own = await server.request('/auth/settings/sessions', {
    headers: { ...headers, Cookie: cookie },
  })
  assert.equal(own.status, 200)
  for (const [, link] of own.body.matchAll(/(?:href|src|action)="(\/[^"]*)"/g))
    assert.match(link ?? '', /^\/auth\//)
  const out = await server.request('/auth/logout', {
    ...form,
    headers: { ...form.headers, Cookie: cookie },
  })
  assert.equal(out.headers['clear-site-data'], '"cache"')
})
