import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { buildApp } from '../support/app.ts'
import { usersYaml } from '../support/users.ts'
import { code, dataOf, openBrowser, secretOf } from './browser.ts'

const TOTP = '/api/secondfactor/totp'
const REGISTER = '/api/secondfactor/totp/register'
const BANK = 'https://bank.vestibule.localhost/x'

const build = async (t: TestContext, config: Readonly<Record<string, unknown>> = {}) =>
  buildApp(t, { config, users: await usersYaml({ john: {}, jane: {} }), sessions: 'sqlite' })

test('a user enrols an app, and its codes open what asks for two factors', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  assert.equal(await john.verify(), 401)
  assert.equal((await john.api('GET', TOTP)).status, 404)
  assert.deepEqual(dataOf(await john.api('GET', REGISTER)), {
    ...{ algorithm: 'SHA1', algorithms: ['SHA1'] },
    ...{ length: 6, lengths: [6], period: 30, periods: [30] },
  })
  const before = john.cookie
  const secret = await john.enrol()
  // The code that confirmed it counts: a new session, and the old cookie is worth nothing.
  assert.notEqual(john.cookie, before)
  assert.equal(await john.verify(), 200)
  assert.equal(await john.verify(before), 401)
  const config = dataOf(await john.api('GET', TOTP))
  assert.deepEqual(Object.keys(config).sort(), [
    ...['algorithm', 'created_at', 'digits', 'issuer', 'last_used_at', 'period'],
  ])

  built.clock.advance(30_000)
  const again = await openBrowser(built, 'john')
  assert.equal(await again.verify(), 401)
  const token = await code(secret, built.clock.now())
  const answer = await again.api('POST', TOTP, { token, targetURL: BANK })
  assert.equal(answer.status, 200)
  assert.deepEqual(JSON.parse(answer.body), { status: 'OK', data: { redirect: BANK } })
  assert.equal(await again.verify(), 200)
  const state = dataOf(await again.get('/api/state'))
  assert.equal(state.authentication_level, 2)
})

test('a wrong code is refused in Authelia’s words, logged, and opens nothing', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const secret = await john.enrol()
  const again = await openBrowser(built, 'john')
  const right = await code(secret, built.clock.now() + 300_000)
  const answer = await again.api('POST', TOTP, { token: right })
  assert.equal(answer.status, 403)
  assert.equal(JSON.parse(answer.body).message, 'Authentication failed, please retry later.')
  assert.equal(await again.verify(), 401)
  const line = built
    .output()
    .split('\n')
    .find((one) => one.includes('Unsuccessful TOTP'))
  assert.ok(line)
  assert.match(line, /Unsuccessful TOTP authentication attempt by user 'john'/)
  assert.ok(!line.includes(right))
  // Programs that ban addresses read it at the end of the line (requirement 21).
  assert.match(line, /remote_ip"?[=:]"?127\.0\.0\.1"?\}?$/)
})

test('a code is right once: not again, not in another session, not after it enrolled the app', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const secret = await john.enrol()
  const other = await openBrowser(built, 'john')
  const confirmed = await code(secret, built.clock.now())
  assert.equal((await other.api('POST', TOTP, { token: confirmed })).status, 403)
  built.clock.advance(30_000)
  const token = await code(secret, built.clock.now())
  const browsers = await Promise.all(Array.from({ length: 4 }, () => openBrowser(built, 'john')))
  const answers = await Promise.all(browsers.map((one) => one.api('POST', TOTP, { token })))
  assert.deepEqual(answers.map(({ status }) => status).sort(), [200, 403, 403, 403])
})

test('a code of one user is worth nothing for another', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const jane = await openBrowser(built, 'jane')
  const secret = await john.enrol()
  await jane.enrol()
  built.clock.advance(30_000)
  const token = await code(secret, built.clock.now())
  assert.equal((await jane.api('POST', TOTP, { token })).status, 403)
})

test('an enrolment belongs to its session and ends after ten minutes', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const begun = dataOf(await john.api('PUT', REGISTER, {}))
  assert.match(begun.otpauth_url, /^otpauth:\/\/totp\/Vestibule:john\?/)
  assert.match(begun.base32_secret, /^[A-Z2-7]{52}$/)
  const secret = secretOf(begun.base32_secret)
  const other = await openBrowser(built, 'john')
  const token = await code(secret, built.clock.now())
  assert.equal((await other.api('POST', REGISTER, { token })).status, 403)
  // After a wrong code it is still pending.
  const wrong = await code(secret, built.clock.now() + 600_000)
  assert.equal((await john.api('POST', REGISTER, { token: wrong })).status, 403)
  // Used now and then, the session lives on.
  for (let i = 0; i < 3; i++) {
    built.clock.advance(201_000)
    assert.equal((await john.get('/api/user/info')).status, 200)
  }
  await john.api('PUT', '/api/user/session/elevation', { password: 'correct horse' })
  const late = await code(secret, built.clock.now())
  assert.equal((await john.api('POST', REGISTER, { token: late })).status, 403)
  assert.equal((await john.api('GET', TOTP)).status, 404)
})

test('an enrolment that was cancelled is over', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const secret = secretOf(dataOf(await john.api('PUT', REGISTER, {})).base32_secret)
  assert.equal((await john.api('DELETE', REGISTER)).status, 200)
  const token = await code(secret, built.clock.now())
  assert.equal((await john.api('POST', REGISTER, { token })).status, 403)
})

test('only what the configuration allows can be chosen', async (t) => {
  const built = await build(t, { totp: { allowed_algorithms: ['sha256'], allowed_digits: [8] } })
  const john = await openBrowser(built, 'john')
  assert.deepEqual(dataOf(await john.api('GET', REGISTER)).algorithms, ['SHA1', 'SHA256'])
  const good = { algorithm: 'SHA256', length: 8, period: 30 }
  assert.equal((await john.api('PUT', REGISTER, good)).status, 200)
  for (const bad of [{ algorithm: 'SHA512' }, { period: 60 }, { length: 7 }, { algorithm: [] }])
    assert.equal((await john.api('PUT', REGISTER, bad)).status, 400, JSON.stringify(bad))
})

test('a removed app has no codes, and asks for elevation', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const secret = await john.enrol()
  built.clock.advance(30_000)
  const again = await openBrowser(built, 'john')
  const refused = await again.api('DELETE', TOTP)
  assert.equal(refused.status, 403)
  assert.deepEqual(JSON.parse(refused.body).data, {
    ...{ elevation: true, first_factor: false, second_factor: true },
  })
  assert.equal((await john.api('DELETE', TOTP)).status, 200)
  assert.equal((await john.api('DELETE', TOTP)).status, 404)
  const token = await code(secret, built.clock.now())
  assert.equal((await again.api('POST', TOTP, { token })).status, 403)
})

test('a user without a factor is led to enrol one, a user with one is asked for it', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const query = new URLSearchParams({ rd: BANK, rm: 'GET' })
  const first = await john.get(`/?${query}`)
  assert.equal(first.status, 302)
  assert.equal(first.headers.location, `/second-factor/enrol?${query}`)
  await john.enrol()
  assert.equal((await john.get(`/?${query}`)).headers.location, BANK)
  const again = await openBrowser(built, 'john')
  assert.equal((await again.get(`/?${query}`)).headers.location, `/second-factor?${query}`)
  assert.equal((await again.get('/')).status, 200)
})

test('without a method, a rule for two factors stays closed', async (t) => {
  const built = await build(t, { totp: { disable: true }, webauthn: { disable: true } })
  const john = await openBrowser(built, 'john')
  const query = new URLSearchParams({ rd: BANK, rm: 'GET' })
  assert.equal((await john.get(`/?${query}`)).status, 403)
  assert.equal((await john.api('POST', TOTP, { token: '123456' })).status, 404)
  assert.deepEqual(dataOf(await john.get('/api/configuration')).available_methods, [])
})

test('hostile bodies are refused, and nothing fails', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const secret = await john.enrol()
  const again = await openBrowser(built, 'john')
  const codes = [
    '',
    '1',
    '12345',
    '1234567',
    '123456789',
    'abcdef',
    '１２３４５６',
    '12345\n',
    '-12345',
  ]
  const values: unknown[] = [...codes, null, 123456, [], ['123456'], {}, true, '9'.repeat(10_000)]
  const bodies: unknown[] = ['', '{', '[]', 'null', '"x"', '[['.repeat(5000), '\0', {}]
  for (const token of values) bodies.push({ token })
  for (const body of bodies) {
    const answer = await again.api('POST', TOTP, body)
    assert.equal(answer.status, 400, String(JSON.stringify(body)).slice(0, 60))
    assert.equal(JSON.parse(answer.body).status, 'KO')
  }
  const paths: [string, string][] = [
    ['POST', '/api/secondfactor/recovery-code'],
    ['PUT', '/api/user/session/elevation'],
    ['POST', '/api/secondfactor/password'],
    ['POST', REGISTER],
  ]
  for (const [method, path] of paths)
    for (const body of ['', '{', '[]', 'null', { code: [] }, { password: {} }, { totp: '1' }]) {
      const answer = await john.api(method, path, body)
      assert.ok([400, 403].includes(answer.status), `${method} ${path}: ${answer.status}`)
    }
  assert.equal((await again.api('POST', TOTP, `{"token":"${' '.repeat(1_000_000)}"}`)).status, 413)
  // None of them was counted as a wrong code.
  built.clock.advance(30_000)
  const token = await code(secret, built.clock.now())
  assert.equal((await again.api('POST', TOTP, { token })).status, 200)
})

test('no API of second factors answers without a session', async (t) => {
  const built = await build(t)
  const paths: [string, string][] = [
    ['GET', TOTP],
    ['POST', TOTP],
    ['DELETE', TOTP],
    ['GET', REGISTER],
    ['PUT', REGISTER],
    ['POST', '/api/secondfactor/recovery-codes'],
    ['POST', '/api/secondfactor/recovery-code'],
    ['POST', '/api/secondfactor/password'],
    ['GET', '/api/user/session/elevation'],
    ['PUT', '/api/user/session/elevation'],
    ['GET', '/api/user/info'],
    ['POST', '/api/user/info/2fa_method'],
    ['GET', '/api/configuration'],
  ]
  for (const [method, path] of paths) {
    const answer = await built.request(path, {
      method,
      headers: { Host: 'auth.vestibule.localhost:9091' },
      ...(method !== 'GET' && { body: '{}' }),
    })
    assert.equal(answer.status, 403, `${method} ${path}`)
  }
})
