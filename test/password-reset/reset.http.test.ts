import assert from 'node:assert/strict'
import { test } from 'node:test'
import { approved } from '../support/approved.ts'
import { until } from '../support/pace.ts'
import { PASSWORD } from '../support/server.ts'
import { cookieOf, FINISH, HOST, openScene, PORTAL, RESET, START } from './scene.ts'

const NEW = 'another password, longer'
const OK = '{"status":"OK"}'
const FAILED = '{"status":"KO","message":"Operation failed"}'
const UNABLE = '{"status":"KO","message":"Unable to reset your password."}'

test('a script resets a password by the token of the mail: once, and without a sign-in', async (t) => {
  const { app, call, mailFor, signIn, lastMail } = await openScene(t)
  const session = await app.signIn('john', PASSWORD, 'auth.example.com')
  const mail = await mailFor('john')
  assert.equal(mail.to, 'john@example.com')
  assert.ok(mail.text.includes(`${PORTAL}/reset-password/step2?token=`))
  assert.ok(mail.text.includes(`${PORTAL}/revoke/reset-password?token=${mail.token}`))
  const finished = await call('POST', FINISH, { token: mail.token })
  assert.equal(finished.body, OK)
  const [cookie = ''] = finished.headers['set-cookie'] ?? []
  assert.match(
    cookie,
    /^vestibule_session_reset=[\w-]{43}; Max-Age=300; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
  )
  assert.equal((await call('POST', FINISH, { token: mail.token })).body, FAILED, 'once')
  assert.equal(await signIn('john', PASSWORD), 200, 'nothing has changed yet')
  const done = await call('POST', RESET, { password: NEW }, { cookie: cookieOf(finished) })
  assert.equal(done.body, OK)
  assert.equal(done.headers['set-cookie'], undefined, 'nobody is signed in by it')
  assert.equal(await signIn('john', PASSWORD), 401)
  assert.equal(await signIn('john', NEW), 200)
  assert.equal(
    (await call('POST', RESET, { password: 'third' }, { cookie: cookieOf(finished) })).body,
    UNABLE,
  )
  // The sessions of before are over, and the user is told.
  const state = await call('GET', '/api/state', undefined, { cookie: session })
  assert.match(state.body, /"authentication_level":0/)
  await until('the mail that says so', () => lastMail().includes('Password changed successfully'))
  assert.match(app.output(), /msg="Sending an email to user 'john' to reset the password"/)
  assert.equal(app.output().includes(mail.token), false)
})

test('a person resets a password without scripts; opening the links changes nothing', async (t) => {
  const { app, call, form, mailFor, signIn } = await openScene(t)
  const ask = await call('GET', '/reset-password')
  assert.equal(ask.status, 200)
  assert.equal(ask.headers['referrer-policy'], 'no-referrer')
  const asked = await form('/reset-password', { username: 'john' })
  assert.deepEqual([asked.status, asked.headers.location], [303, '/reset-password/sent'])
  const { token } = await mailFor('john')
  const link = `/reset-password/step2?token=${token}`
  for (let i = 0; i < 3; i++) {
    const page = await call('GET', link)
    assert.equal(page.status, 200)
    assert.equal(page.headers['referrer-policy'], 'no-referrer')
    assert.equal((await call('GET', `/revoke/reset-password?token=${token}`)).status, 200)
  }
  const different = await form('/reset-password/step2', { token, password: NEW, repeat: 'x' })
  assert.equal(different.status, 400)
  assert.ok(different.body.includes(token), 'the form can be sent again')
  const done = await form('/reset-password/step2', { token, password: NEW, repeat: NEW })
  assert.deepEqual([done.status, done.headers.location], [303, '/reset-password/done'])
  assert.equal(await signIn('john', NEW), 200)
  assert.match((await call('GET', link)).body, /This link can&#39;t be used/)
  const again = await form('/reset-password/step2', { token, password: 'again', repeat: 'again' })
  assert.equal(again.status, 400)
  assert.equal(await signIn('john', NEW), 200)
  assert.equal(app.output().includes(token), false, 'no log has the token')
})

test("the mail's second link makes the first one void, exchanged or not", async (t) => {
  const { call, form, mailFor, signIn } = await openScene(t)
  const first = await mailFor('john')
  assert.equal((await call('DELETE', RESET, { token: first.token })).body, OK)
  assert.equal((await call('DELETE', RESET, { token: first.token })).body, FAILED)
  assert.equal((await call('POST', FINISH, { token: first.token })).body, FAILED)
  const second = await mailFor('john')
  const finished = await call('POST', FINISH, { token: second.token })
  const revoked = await form('/revoke/reset-password', { token: second.token })
  assert.deepEqual(
    [revoked.status, revoked.headers.location],
    [303, '/revoke/reset-password?done='],
  )
  const late = await call('POST', RESET, { password: NEW }, { cookie: cookieOf(finished) })
  assert.equal(late.body, UNABLE)
  assert.equal(await signIn('john', PASSWORD), 200)
})

test('known devices of before are forgotten, and a second factor is asked for as ever', async (t) => {
  const { app, form, mailFor, call } = await openScene(t)
  await app.signIn('john', PASSWORD, 'auth.example.com')
  assert.equal((await app.throttle.devices.list('john')).length, 1)
  const { token } = await mailFor('john')
  await form('/reset-password/step2', { token, password: NEW, repeat: NEW })
  await until('no known device', async () => (await app.throttle.devices.list('john')).length === 0)
  const cookie = await app.signIn('john', NEW, 'auth.example.com')
  const state = await call('GET', '/api/state', undefined, { cookie })
  assert.match(state.body, /"authentication_level":1/)
})

test('a token is worth nothing once the password was changed otherwise', async (t) => {
  const { app, call, mailFor } = await openScene(t)
  const { token } = await mailFor('john')
  await app.users.setPassword('john', approved(NEW))
  await until('it is refused', async () =>
    /can&#39;t be used/.test((await call('GET', `/reset-password/step2?token=${token}`)).body),
  )
})

for (const [what, config] of [
  ['disable', { authentication_backend: { password_reset: { disable: true } } }],
  ['the old key', { authentication_backend: { disable_reset_password: true } }],
  ['no notifier', { notifier: undefined }],
] as const)
  test(`${what}: no page, no link, no API (requirement 17)`, async (t) => {
    const { app, call } = await openScene(t, config)
    for (const path of ['/reset-password', '/reset-password/step2', '/revoke/reset-password'])
      assert.equal((await call('GET', path)).status, 404)
    assert.equal((await call('POST', '/reset-password', {})).status, 404)
    for (const path of [START, FINISH, RESET])
      assert.equal((await call('POST', path, { username: 'john' })).status, 404)
    assert.equal((await call('DELETE', RESET, { token: '' })).status, 404)
    assert.doesNotMatch((await call('GET', '/')).body, /Forgotten/)
    const cookie = await app.signIn('john', PASSWORD, 'auth.example.com')
    const { body } = await call('GET', '/api/configuration', undefined, { cookie })
    assert.match(body, /"password_reset_disabled":true/)
  })

test('the sign-in page links to the reset, and to another place where one is configured', async (t) => {
  const own = await openScene(t)
  assert.match(
    (await own.call('GET', '/')).body,
    /href="\/reset-password">Forgotten your password\?/,
  )
  const url = 'https://passwords.example.com/forgotten'
  const other = await openScene(t, {
    authentication_backend: { password_reset: { custom_url: url } },
  })
  assert.ok((await other.call('GET', '/')).body.includes(`href="${url}"`))
  assert.equal((await other.call('GET', '/reset-password')).status, 404)
  assert.equal((await other.call('POST', START, { username: 'john' })).status, 404)
})

test('password managers find the page that changes a password', async (t) => {
  const { call } = await openScene(t)
  const answer = await call('GET', '/.well-known/change-password')
  assert.deepEqual([answer.status, answer.headers.location], [302, '/settings/password'])
})

test('the base of the links is the configured portal, whatever the request says', async (t) => {
  const { app, mailFor, call } = await openScene(t)
  const { text } = await mailFor('john', `${HOST}:444`)
  assert.equal(text.includes(':444'), false)
  app.clock.advance(24 * 3600_000)
  const lines = ['evil.example.net', 'auth.example.com\r\nX: y', 'a@evil.net', 'auth.example.com/x']
  for (const host of lines) {
    const answer = await call(
      'POST',
      START,
      { username: 'john' },
      {
        from: '127.0.0.1',
        more: { 'x-forwarded-host': host, 'x-forwarded-proto': 'https' },
      },
    ).catch(() => undefined)
    assert.ok(answer === undefined || answer.status >= 400, host)
  }
  // A host of the domain that is not the portal: the link is the portal's all the same.
  const other = await mailFor('john', 'evil.example.com')
  for (const link of other.text.match(/https?:\S+/g) ?? []) assert.ok(link.startsWith(`${PORTAL}/`))
})
