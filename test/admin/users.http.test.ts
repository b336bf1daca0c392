/** The pages on which administrators manage users. They need no script. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { type BuiltApp, buildApp } from '../support/app.ts'
import { PASSWORD } from '../support/server.ts'
import { usersYaml } from '../support/users.ts'

const ADMINS = ['vestibule-admins']
const HOST = 'auth.vestibule.localhost:9091'
const ORIGIN = `http://${HOST}`

interface Page {
  readonly status: number
  readonly location: string
  readonly body: string
}

async function start(
  t: TestContext,
  { config = {}, ...options }: { config?: object; users?: string } = {},
) {
  const app = await buildApp(t, {
    config: { ...config },
    users:
      options.users ??
      (await usersYaml({
        root: { displayname: 'Root', groups: ADMINS },
        john: { displayname: 'John', email: 'john@example.com', groups: ['dev'] },
        new: { displayname: 'Newman' },
      })),
  })
  const root = await app.signIn('root')
  const pageOf = (answer: Awaited<ReturnType<BuiltApp['request']>>): Page => ({
    status: answer.status,
    location: String(answer.headers['location'] ?? ''),
    body: answer.body,
  })
  const get = async (path: string, cookie = root) =>
    pageOf(await app.request(path, { headers: { Host: HOST, Cookie: cookie } }))
  const post = async (
    path: string,
    form: Readonly<Record<string, string>>,
    { cookie = root, origin = ORIGIN }: { cookie?: string; origin?: string } = {},
  ) => {
    const body = new URLSearchParams(form).toString()
    return pageOf(
      await app.request(path, {
        method: 'POST',
        headers: {
          ...{ Host: HOST, Cookie: cookie, Origin: origin },
          'Content-Type': 'application/x-www-form-urlencoded',
          'Content-Length': String(Buffer.byteLength(body)),
        },
        body,
      }),
    )
  }
  /** What the form on a user's page would send. */
  const formOf = async (name: string) => {
    const { body } = await get(`/admin/users/${name}`)
    return valuesIn(body)
  }
  return { app, root, get, post, formOf }
}

const decode = (text: string) =>
  text.replace(/&#(\d+);/g, (_, code) => String.fromCodePoint(Number(code)))

function valuesIn(body: string): Record<string, string> {
  const [form = ''] = /<form[^>]*>(?:(?!<\/form>)[\s\S])*value="change"/.exec(body) ?? []
  const value = (tag: string, name: string) =>
    decode(new RegExp(`${name}="([^"]*)"`).exec(tag)?.[1] ?? '')
  const inputs = [...form.matchAll(/<input[^>]*>/g)].flatMap(([tag]) => {
    if (!/type="checkbox"/.test(tag)) return [[value(tag, 'name'), value(tag, 'value')]]
    return /\schecked/.test(tag) ? [[value(tag, 'name'), 'on']] : []
  })
  const areas = [...form.matchAll(/<textarea[^>]*name="(\w+)"[^>]*>([^<]*)/g)].map(
    ([, name = '', text = '']) => [name, decode(text)],
  )
  return { ...Object.fromEntries([...inputs, ...areas]), act: 'change' }
}

const isAllowed = async ({ request }: BuiltApp, cookie: string): Promise<boolean> => {
  const { status } = await request('/api/authz/auth-request', {
    headers: {
      'X-Original-URL': 'http://app.vestibule.localhost:9091/',
      'X-Original-Method': 'GET',
      Cookie: cookie,
    },
  })
  return status === 200
}

test('a user is found, opened and changed; what was not touched stays', async (t) => {
  const { app, get, post, formOf } = await start(t)
  const list = (await get('/admin/users?search=john')).body
  assert.match(list, /href="\/admin\/users\/john"/)
  assert.doesNotMatch(list, /href="\/admin\/users\/root"/)
  const form = await formOf('john')
  assert.equal(form['groups'], 'dev')
  const answer = await post('/admin/users/john', {
    ...{
      ...form,
      display_name: 'John B',
      groups: 'dev\r\nops\r\n',
      expires_at: '2030-01-02T03:04',
    },
  })
  assert.deepEqual([answer.status, answer.location], [303, '/admin/users/john?changed='])
  assert.match((await get(answer.location)).body, /The user was changed\./)
  const found = await app.users.account('john')
  assert.deepEqual(found?.account.profile, {
    ...{ name: 'john', displayName: 'John B', email: 'john@example.com', groups: ['dev', 'ops'] },
    expiresAt: Date.parse('2030-01-02T03:04:00Z'),
  })
})

test('of two administrators, the second sees both versions, and may save theirs all the same', async (t) => {
  const { app, post, formOf } = await start(t)
  const form = await formOf('john')
  await post('/admin/users/john', { ...form, display_name: 'First', email: 'first@example.com' })
  const stale = await post('/admin/users/john', { ...form, display_name: 'Second' })
  assert.equal(stale.status, 412)
  const [versions = ''] = /id="versions">[\s\S]*?<\/ul>/.exec(stale.body) ?? []
  assert.match(versions, /<bdi>Second<\/bdi>[\s\S]*<bdi>First<\/bdi>/)
  assert.match(versions, /<bdi>john@example\.com<\/bdi>[\s\S]*<bdi>first@example\.com<\/bdi>/)
  assert.equal((await app.users.account('john'))?.account.profile.displayName, 'First')
  assert.equal((await post('/admin/users/john', valuesIn(stale.body))).status, 303)
  const profile = (await app.users.account('john'))?.account.profile
  assert.deepEqual([profile?.displayName, profile?.email], ['Second', 'john@example.com'])
})

test('faults are said beside their fields, and what was typed is kept', async (t) => {
  const { post, formOf } = await start(t)
  const form = await formOf('john')
  const wrong = await post('/admin/users/john', { ...form, email: 'none', expires_at: 'soon' })
  assert.equal(wrong.status, 400)
  assert.match(wrong.body, /<input value="soon"[^>]*aria-invalid="true"/)
  assert.match(wrong.body, /id="expires_at-wrong">is no moment/)
  const mail = await post('/admin/users/john', { ...form, email: 'none' })
  assert.match(mail.body, /<input value="none"[^>]*aria-invalid="true"/)
  const taken = await post('/admin/users/new', { username: 'john', display_name: '<b>x' })
  assert.equal(taken.status, 409)
  assert.match(taken.body, /id="username-wrong">There is a user with this name already/)
  assert.match(taken.body, /value="&#60;b&#62;x"/)
})

test('a user is added with a password that has to be changed, and deleted after a question', async (t) => {
  const { app, get, post } = await start(t)
  assert.match((await get('/admin/users/new')).body, /name="must_change_password" checked/)
  const fields = { username: 'ann/b ü', display_name: 'Ann', password: 'first of ann' }
  const added = await post('/admin/users/new', { ...fields, must_change_password: 'on' })
  assert.equal(added.status, 303)
  assert.match((await get(added.location)).body, /The user was added/)
  const ann = await app.signIn('ann/b ü', 'first of ann')
  // Until the password is changed, no app.
  assert.equal(await isAllowed(app, ann), false)
  assert.equal((await get('/', ann)).location, '/settings/password')
  const path = '/admin/users/ann%2Fb%20%C3%BC/delete'
  const asked = await get(path)
  assert.match(asked.body, /This cannot be undone/)
  const version = decode(/name="version" value="([^"]*)"/.exec(asked.body)?.[1] ?? '')
  assert.equal((await post(path, { version: 'another' })).status, 412)
  assert.equal((await get('/', ann)).location, '/settings/password')
  assert.equal((await post(path, { version })).status, 303)
  assert.match((await get('/', ann)).body, /autocomplete="current-password"/)
  assert.equal((await get('/admin/users/ann%2Fb%20%C3%BC')).status, 404)
})

test('a password is set or generated, shown once, and ends the sessions', async (t) => {
  const { app, post, formOf } = await start(t)
  const john = await app.signIn('john')
  const { version = '' } = await formOf('john')
  const made = await post('/admin/users/john', { act: 'generate', version })
  assert.equal(made.status, 200)
  const password = /<strong>([\w-]{23})<\/strong>/.exec(made.body)?.[1] ?? ''
  assert.equal(await isAllowed(app, john), false)
  const again = await app.signIn('john', password)
  assert.equal(await isAllowed(app, again), true)
  // Sent again by the browser's "reload": refused, and the password that was handed over stays.
  assert.equal((await post('/admin/users/john', { act: 'generate', version })).status, 412)
  assert.equal(await isAllowed(app, again), true)
  const now = (await formOf('john'))['version'] ?? ''
  const set = { act: 'password', version: now, password: 'another one of john' }
  assert.equal((await post('/admin/users/john', set)).status, 303)
  assert.equal(await isAllowed(app, await app.signIn('john', 'another one of john')), true)
  const events = await app.services.audit.list({
    user: 'john',
    names: ['password.changed'],
    limit: 9,
  })
  assert.deepEqual(
    events?.map(({ actor }) => actor),
    ['user:root', 'user:root'],
  )
})

test('the password policy is asked, and its faults stand at the field', async (t) => {
  const { app, post, formOf } = await start(t, {
    config: { password_policy: { standard: { enabled: true, min_length: 12 } } },
  })
  const { version = '' } = await formOf('john')
  const weak = await post('/admin/users/john', { act: 'password', version, password: 'short' })
  assert.equal(weak.status, 400)
  assert.match(weak.body, /id="password-wrong">[^<]*12/)
  assert.doesNotMatch(weak.body, /value="short"/)
  const added = { username: 'ann', display_name: 'Ann', password: 'short' }
  assert.equal((await post('/admin/users/new', added)).status, 400)
  assert.equal(await app.users.account('ann'), undefined)
  assert.equal((await post('/admin/users/john', { act: 'generate', version })).status, 200)
})

test('a disabled user is refused by the next verify, and so is an expired one', async (t) => {
  const { app, post, formOf } = await start(t)
  const john = await app.signIn('john')
  assert.equal(await isAllowed(app, john), true)
  await post('/admin/users/john', { ...(await formOf('john')), expires_at: '2020-01-01T00:00' })
  assert.equal(await isAllowed(app, john), false)
  await post('/admin/users/john', { ...(await formOf('john')), expires_at: '' })
  const back = await app.signIn('john')
  assert.equal(await isAllowed(app, back), true)
  await post('/admin/users/john', { ...(await formOf('john')), disabled: 'on' })
  assert.equal(await isAllowed(app, back), false)
})

test('sessions are ended and bans lifted', async (t) => {
  const { app, get, post } = await start(t)
  const john = await app.signIn('john')
  assert.equal((await post('/admin/users/john', { act: 'end' })).status, 303)
  assert.equal(await isAllowed(app, john), false)
  await app.throttle.bans.add({
    ...{ kind: 'user', name: 'john', reason: '', duration: undefined, by: 'root' },
  })
  assert.match((await get('/admin/users/john')).body, /One ban keeps this user/)
  assert.equal((await post('/admin/users/john', { act: 'lift' })).status, 303)
  assert.doesNotMatch((await get('/admin/users/john')).body, /One ban keeps this user/)
})

test('administrators do not lock themselves out, and are told so', async (t) => {
  const { post, formOf } = await start(t)
  const own = await post('/admin/users/root', { ...(await formOf('root')), disabled: 'on' })
  assert.equal(own.status, 409)
  assert.match(own.body, /cannot take the administration away from yourself/)
  assert.equal((await post('/admin/users/root/delete', {})).status, 409)
})

test('without a confirmation the forms are not offered, and what they send leads to it', async (t) => {
  const { app, root, get, post } = await start(t)
  for (let i = 0; i < 4; i++) {
    app.clock.advance(3 * 60_000)
    assert.equal(await isAllowed(app, root), true)
  }
  const page = (await get('/admin/users/john')).body
  assert.doesNotMatch(page, /value="change"/)
  const to = `/settings/confirm?to=${encodeURIComponent('/admin/users/john')}`
  assert.ok(page.includes(to.replaceAll('=', '&#61;')) || page.includes(to), page)
  const refused = await post('/admin/users/john', { act: 'end' })
  assert.deepEqual([refused.status, refused.location], [303, to])
  assert.equal((await get('/admin/users/new')).status, 302)
  const confirmed = await post(`${to}&with=password`, { password: PASSWORD })
  assert.equal(confirmed.location, '/admin/users/john?confirmed=')
})

test('others have none of it, and neither has another site', async (t) => {
  const { app, get, post } = await start(t)
  const john = await app.signIn('john')
  const paths = [
    '/admin/users',
    '/admin/users/new',
    '/admin/users/john',
    '/admin/users/john/delete',
  ]
  for (const path of paths) assert.equal((await get(path, john)).status, 403, path)
  for (const path of paths.slice(1)) {
    assert.equal((await post(path, {}, { cookie: john })).status, 403, path)
    assert.equal((await post(path, {}, { origin: 'https://evil.example' })).status, 403, path)
  }
  assert.equal((await app.users.account('john'))?.account.disabled, false)
})

test('a user may have the name of the page that adds users', async (t) => {
  const { app, get, post } = await start(t)
  const list = (await get('/admin/users')).body
  assert.match(list, /href="\/admin\/users\/new\?user(=|&#61;)"/)
  const page = (await get('/admin/users/new?user=')).body
  assert.match(page, /Newman/)
  const sent = { ...valuesIn(page), display_name: 'N' }
  assert.equal((await post('/admin/users/new?user=', sent)).status, 303)
  assert.equal((await app.users.account('new'))?.account.profile.displayName, 'N')
})

test('ten thousand users are paged and searched', async (t) => {
  const many = Object.fromEntries(
    Array.from({ length: 10_000 }, (_, i) => [`user${String(i).padStart(5, '0')}`, {}]),
  )
  const users = await usersYaml({ root: { groups: ADMINS }, ...many })
  const { get } = await start(t, { users })
  const names = ({ body }: Page) =>
    [...body.matchAll(/href="\/admin\/users\/(user\d+|root)"/g)].map(([, name]) => name)
  const first = await get('/admin/users')
  assert.equal(names(first).length, 50)
  assert.equal(names(first)[0], 'root')
  const next = /href="(\/admin\/users\?after[^"]*)"/.exec(first.body)?.[1] ?? ''
  const second = names(await get(next.replaceAll('&#61;', '=')))
  assert.deepEqual([second.length, second[0]], [50, 'user00049'])
  assert.deepEqual(names(await get('/admin/users?search=user09999')), ['user09999'])
  assert.ok(first.body.length < 40_000, String(first.body.length))
})

test('without an admin area there are no such pages', async (t) => {
  const { get } = await start(t, { config: { admin: { disable: true } } })
  for (const path of ['/admin', '/admin/users', '/admin/users/new', '/admin/users/john'])
    assert.equal((await get(path)).status, 404, path)
})
