import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cookieOf, FINISH, openScene, RESET } from '../password-reset/scene.ts'
import { PASSWORD } from '../support/server.ts'

const STANDARD = {
  password_policy: { standard: { enabled: true, min_length: 12, require_number: true } },
}
const GOOD = 'violin 7 zebra stapler'
const STRENGTH = '/api/password-strength'

test('the rules are told as Authelia tells them', async (t) => {
  const RULES = '/api/configuration/password-policy'
  const none = await openScene(t)
  assert.deepEqual(JSON.parse((await none.call('GET', RULES)).body), {
    status: 'OK',
    data: {
      ...{ mode: 'disabled', min_length: 0, max_length: 0, min_score: 0 },
      ...{ require_uppercase: false, require_lowercase: false },
      ...{ require_number: false, require_special: false },
    },
  })
  assert.equal((await none.call('POST', STRENGTH, { password: 'x' })).status, 404)
  const some = await openScene(t, STANDARD)
  const { data } = JSON.parse((await some.call('GET', RULES)).body)
  assert.deepEqual([data.mode, data.min_length, data.require_number], ['standard', 12, true])
  const score = await openScene(t, { password_policy: { zxcvbn: { enabled: true } } })
  const { data: by } = JSON.parse((await score.call('GET', RULES)).body)
  assert.deepEqual([by.mode, by.min_length, by.min_score], ['zxcvbn', 0, 3])
})

test('a reset takes no password that the policy refuses, and its link stays usable', async (t) => {
  const { call, form, mailFor, signIn } = await openScene(t, STANDARD)
  const { token } = await mailFor('john')
  const page = await form('/reset-password/step2', { token, password: 'short', repeat: 'short' })
  assert.equal(page.status, 400)
  assert.match(page.body, /at least 12 characters/)
  assert.match(page.body, /It needs a digit/)
  const cookie = cookieOf(await call('POST', FINISH, { token }))
  const refused = await call('POST', RESET, { password: 'john' }, { cookie })
  assert.deepEqual(JSON.parse(refused.body), {
    status: 'KO',
    message: 'Your supplied password does not meet the password policy requirements.',
  })
  assert.equal(refused.status, 200)
  assert.equal(await signIn('john', PASSWORD), 200)
  assert.equal((await call('POST', RESET, { password: GOOD }, { cookie })).body, '{"status":"OK"}')
  assert.equal(await signIn('john', GOOD), 200)
})

test('the page of the settings takes no such password either, and says why', async (t) => {
  const { app, call, signIn } = await openScene(t, STANDARD)
  const cookie = await app.signIn('john', PASSWORD, 'auth.example.com')
  const change = (password: string) =>
    app.request('/settings/password', {
      method: 'POST',
      headers: {
        ...{ host: 'auth.example.com', cookie, 'sec-fetch-site': 'same-origin' },
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams({ password, repeat: password }).toString(),
    })
  const refused = await change('john')
  assert.equal(refused.headers.location, '/settings/password?weak=min_length,number,own_name')
  const page = await call('GET', refused.headers.location ?? '', undefined, { cookie })
  assert.match(page.body, /made of your name/)
  assert.match(page.body, /data-url="\/api\/password-strength"/)
  const made = await call('GET', '/settings/password?weak=%3Cscript%3E', undefined, { cookie })
  assert.equal(made.body.includes('<script>'), false)
  assert.equal(await signIn('john', PASSWORD), 200)
  assert.equal((await change(GOOD)).headers.location, '/settings/sessions?password-changed=')
  assert.equal(await signIn('john', GOOD), 200)
})

test('strength is told while typing: to this site, so often, and never to the log', async (t) => {
  const { app, call } = await openScene(t, STANDARD)
  const typed = 'a secret that is typed'
  const answer = await call('POST', STRENGTH, { password: typed })
  const { data } = JSON.parse(answer.body)
  assert.deepEqual(data.faults, ['number'])
  assert.equal(data.text, 'It needs a digit.')
  assert.ok(data.score >= 2)
  const cookie = await app.signIn('john', PASSWORD, 'auth.example.com')
  const own = await call('POST', STRENGTH, { password: 'john1234567890' }, { cookie })
  assert.deepEqual(JSON.parse(own.body).data.faults, ['own_name'])
  const more = { 'sec-fetch-site': 'cross-site' }
  assert.equal((await call('POST', STRENGTH, { password: typed }, { more })).status, 403)
  assert.equal((await call('POST', STRENGTH, { password: 'x'.repeat(1025) })).status, 400)
  assert.equal((await call('POST', STRENGTH, { password: 'x'.repeat(20_000) })).status, 413)
  const statuses = new Set<number>()
  for (let i = 0; i < 61; i++)
    statuses.add(
      (await call('POST', STRENGTH, { password: typed }, { from: '203.0.113.5' })).status,
    )
  assert.deepEqual([...statuses], [200, 429])
  assert.equal(app.output().includes(typed), false)
})
