import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import type { Tables } from '../../src/features/second-factor/tables.ts'
import { buildApp } from '../support/app.ts'
import { PASSWORD } from '../support/server.ts'
import { usersYaml } from '../support/users.ts'
import { type Browser, code, dataOf, openBrowser } from './browser.ts'

const ELEVATION = '/api/user/session/elevation'
const CODES = '/api/secondfactor/recovery-codes'
const MINUTE = 60_000

const build = async (t: TestContext, config: Readonly<Record<string, unknown>> = {}) =>
  buildApp(t, { config, users: await usersYaml({ john: {}, jane: {} }), sessions: 'sqlite' })
type Built = Awaited<ReturnType<typeof build>>

/** Time passes, and the session is used now and then. */
async function pass({ clock }: Built, browser: Browser, minutes: number): Promise<void> {
  for (let i = 0; i < minutes; i += 3) {
    clock.advance(3 * MINUTE)
    assert.equal((await browser.get('/api/user/info')).status, 200)
  }
}

test('a sign-in with the password elevates for ten minutes who has no second factor, then the password does', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const fresh = dataOf(await john.get(ELEVATION))
  assert.deepEqual(fresh, {
    ...{ require_second_factor: false, skip_second_factor: false, can_skip_second_factor: false },
    ...{ factor_knowledge: true, elevated: true, expires: 600, methods: ['password'] },
  })
  await pass(built, john, 12)
  const later = dataOf(await john.get(ELEVATION))
  assert.deepEqual([later.elevated, later.expires], [false, 0])
  const refused = await john.api('POST', CODES)
  assert.equal(refused.status, 403)
  assert.deepEqual(JSON.parse(refused.body).data, {
    ...{ elevation: true, first_factor: false, second_factor: false },
  })
  assert.equal((await john.api('PUT', ELEVATION, { password: 'wrong' })).status, 403)
  assert.match(built.output(), /Unsuccessful Password authentication attempt by user 'john'/)
  const before = john.cookie
  assert.equal((await john.api('PUT', ELEVATION, { password: PASSWORD })).status, 200)
  assert.notEqual(john.cookie, before)
  assert.equal(dataOf(await john.get(ELEVATION)).expires, 600)
  assert.equal((await john.api('POST', CODES)).status, 409, 'they stand in for a factor')
  await pass(built, john, 12)
  assert.equal(dataOf(await john.get(ELEVATION)).elevated, false)
})

test('who has a second factor shows it: the password alone elevates nothing', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const secret = await john.enrol()
  built.clock.advance(MINUTE)
  const thief = await openBrowser(built, 'john')
  const state = dataOf(await thief.get(ELEVATION))
  assert.deepEqual([state.elevated, state.methods], [false, ['totp']])
  assert.equal((await thief.api('PUT', ELEVATION, { password: PASSWORD })).status, 403)
  assert.equal((await thief.api('PUT', ELEVATION, { recovery_code: 'ABCD' })).status, 403)
  assert.equal((await thief.api('PUT', ELEVATION, { otc: 'ABCDEFGH' })).status, 403)
  assert.equal((await thief.api('PUT', ELEVATION, { webauthn: {} })).status, 403)
  assert.equal((await thief.api('POST', CODES)).status, 403)
  assert.equal((await thief.api('PUT', '/api/secondfactor/totp/register', {})).status, 403)
  assert.equal(dataOf(await john.get(ELEVATION)).elevated, true)
  const totp = await code(secret, built.clock.now())
  assert.equal((await thief.api('PUT', ELEVATION, { totp })).status, 200)
  assert.equal(dataOf(await thief.get(ELEVATION)).elevated, true)
  assert.equal(dataOf(await thief.get('/api/state')).authentication_level, 2)
})

test('what the password elevated is over when there is a second factor', async (t) => {
  const built = await build(t)
  const thief = await openBrowser(built, 'john')
  assert.equal((await thief.api('PUT', ELEVATION, { password: PASSWORD })).status, 200)
  const register = '/api/secondfactor/totp/register'
  assert.equal((await thief.api('PUT', register, {})).status, 200)
  const john = await openBrowser(built, 'john')
  await john.enrol()
  assert.equal(dataOf(await thief.get(ELEVATION)).elevated, false)
  assert.equal((await thief.api('POST', register, { token: '123456' })).status, 403)
  assert.equal((await thief.api('DELETE', '/api/secondfactor/totp')).status, 403)
  assert.equal((await thief.api('POST', CODES)).status, 403)
})

test('where every method is switched off, recovery codes open nothing', async (t) => {
  const built = await build(t, { totp: { disable: true }, webauthn: { disable: true } })
  const [code] = await built.factors.recoveryCodes.generate('john')
  const john = await openBrowser(built, 'john')
  const answer = await john.api('POST', '/api/secondfactor/recovery-code', { code })
  assert.equal(answer.status, 404)
  assert.equal((await john.api('PUT', ELEVATION, { recovery_code: code })).status, 403)
  assert.equal((await john.api('POST', CODES, {})).status, 404)
  assert.equal(await john.verify(), 401)
})

test('a factor of a method that was switched off protects the account: the password alone enrols no other', async (t) => {
  for (const disabled of [
    { totp: { disable: true } },
    { totp: { disable: true }, webauthn: { disable: true } },
  ]) {
    const built = await build(t, disabled)
    const { storage } = built.services
    const db = (await storage.db()).$extendTables<Tables>()
    const row = { issuer: '', algorithm: 'SHA1', digits: 6, period: 30, created_at: 0 }
    await db
      .insertInto('totp')
      .values({ ...row, user_name: 'john', secret: Buffer.of(1), last_used_at: null })
      .execute()
    const john = await openBrowser(built, 'john')
    const state = dataOf(await john.get(ELEVATION))
    assert.deepEqual([state.elevated, state.methods], [false, []])
    assert.equal((await john.api('PUT', ELEVATION, { password: PASSWORD })).status, 403)
    const key = '/api/secondfactor/webauthn/credential/register'
    const status = 'webauthn' in disabled ? 404 : 403
    assert.equal((await john.api('PUT', key, { description: 'Key' })).status, status)
    assert.equal(await built.factors.registry.removeAll('john'), 1)
    assert.equal(dataOf(await john.get(ELEVATION)).elevated, true, 'until the operator resets it')
  }
})

test('level 2 elevates for ten minutes, or as long as skip_second_factor says', async (t) => {
  for (const skips of [false, true]) {
    const elevated_session = { skip_second_factor: skips }
    const built = await build(t, { identity_validation: { elevated_session } })
    const john = await openBrowser(built, 'john')
    await john.enrol()
    await pass(built, john, 12)
    assert.equal(dataOf(await john.get(ELEVATION)).elevated, skips)
  }
})

test('a recovery code stands in for the app, and says how many are left', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  assert.equal((await john.get(CODES)).status, 404)
  await john.enrol()
  const { codes } = dataOf(await john.api('POST', CODES))
  assert.equal(codes.length, 10)
  assert.equal(dataOf(await john.get(CODES)).remaining, 10)
  const again = await openBrowser(built, 'john')
  const path = '/api/secondfactor/recovery-code'
  const target = 'https://bank.vestibule.localhost/'
  const used = await again.api('POST', path, { code: codes[0], targetURL: target })
  assert.deepEqual(dataOf(used), { remaining: 9, redirect: target })
  assert.equal(await again.verify(), 200)
  const third = await openBrowser(built, 'john')
  assert.equal((await third.api('POST', path, { code: codes[0] })).status, 403)
  const jane = await openBrowser(built, 'jane')
  assert.equal((await jane.api('POST', path, { code: codes[1] })).status, 403)
  assert.doesNotMatch(built.output(), new RegExp(codes[0]))
  assert.match(built.output(), /factor\.code-used/)
})

test('after five wrong codes of any method the next ones wait, in every session', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const secret = await john.enrol()
  const { codes } = dataOf(await john.api('POST', CODES))
  built.clock.advance(MINUTE)
  const [one, two] = [await openBrowser(built, 'john'), await openBrowser(built, 'john')]
  const wrong = await code(secret, built.clock.now() + 10 * MINUTE)
  const path = '/api/secondfactor/recovery-code'
  for (let i = 0; i < 3; i++)
    assert.equal((await one.api('POST', '/api/secondfactor/totp', { token: wrong })).status, 403)
  for (let i = 0; i < 2; i++)
    assert.equal((await two.api('POST', path, { code: '0000-0000-0000-0000' })).status, 403)
  const limited = await one.api('POST', path, { code: codes[0] })
  assert.equal(limited.status, 429)
  assert.equal(limited.headers['retry-after'], '30')
  assert.equal(JSON.parse(limited.body).status, 'KO')
  assert.equal((await two.api('PUT', ELEVATION, { totp: wrong })).status, 429)
  const jane = await openBrowser(built, 'jane')
  assert.equal((await jane.api('POST', path, { code: '0000-0000-0000-0000' })).status, 403)
  // The password does not begin the count anew.
  await one.api('POST', '/api/secondfactor/password', { password: PASSWORD })
  built.clock.advance(30_000)
  assert.equal((await one.api('POST', path, { code: '0000-0000-0000-0000' })).status, 403)
  assert.equal((await one.api('POST', path, { code: codes[0] })).headers['retry-after'], '60')
  built.clock.advance(MINUTE)
  // It was not used up, and it ends the count.
  assert.equal((await one.api('POST', path, { code: codes[0] })).status, 200)
  assert.equal((await two.api('POST', path, { code: 'x' })).status, 403)
  assert.equal((await two.api('POST', path, { code: codes[1] })).status, 200)
})

test('with enrolment by invitation, only who was invited enrols a first factor', async (t) => {
  const built = await build(t, { second_factor: { enrolment: 'invited' } })
  const john = await openBrowser(built, 'john')
  const register = '/api/secondfactor/totp/register'
  assert.equal((await john.api('PUT', register, {})).status, 403)
  assert.equal((await john.api('POST', CODES)).status, 409)
  await built.factors.registry.invite('john')
  await john.enrol()
  // Who has one may add and replace.
  assert.equal((await john.api('POST', CODES)).status, 200)
  await built.factors.registry.removeAll('john')
  const again = await openBrowser(built, 'john')
  assert.equal((await again.api('PUT', register, {})).status, 403)
})

test('what Authelia’s clients ask of the user', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  assert.deepEqual(dataOf(await john.get('/api/configuration')).available_methods, [
    'totp',
    'webauthn',
  ])
  const before = dataOf(await john.get('/api/user/info'))
  assert.deepEqual([before.method, before.has_totp, before.has_duo], ['totp', false, false])
  await john.enrol()
  assert.equal(dataOf(await john.get('/api/user/info')).has_totp, true)
  assert.equal(dataOf(await john.api('POST', '/api/user/info')).emails, undefined)
  const choose = (method: unknown) => john.api('POST', '/api/user/info/2fa_method', { method })
  assert.deepEqual(JSON.parse((await choose('totp')).body), { status: 'OK' })
  for (const bad of ['mobile_push', 'recovery_code', '', 7]) {
    const answer = await choose(bad)
    assert.equal(answer.status, 200)
    assert.deepEqual(JSON.parse(answer.body), { status: 'KO', message: 'Operation failed.' })
  }
  assert.equal(await built.factors.preferred('john'), 'totp')
})

test('the password as another factor is checked as at a sign-in', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const path = '/api/secondfactor/password'
  const wrong = await john.api('POST', path, { password: 'wrong' })
  assert.equal(wrong.status, 401)
  assert.equal(JSON.parse(wrong.body).message, 'Authentication failed. Check your credentials.')
  const before = john.cookie
  assert.equal((await john.api('POST', path, { password: PASSWORD })).status, 200)
  assert.notEqual(john.cookie, before)
  // Twice the same kind is one factor.
  assert.equal(dataOf(await john.get('/api/state')).authentication_level, 1)
  assert.equal(await john.verify(), 401)
})

test('a password is held back and limited wherever it is typed, and a code is not held back', async (t) => {
  const built = await build(t, { failed_login_rate_limit: '3/minute' })
  const john = await openBrowser(built, 'john')
  const held = async (work: () => Promise<{ status: number }>) => {
    const before = built.clock.monotonic()
    const { status } = await work()
    return [status, built.clock.monotonic() - before >= 250] as const
  }
  const form = (path: string, fields: Readonly<Record<string, string>>) =>
    built.request(path, {
      method: 'POST',
      headers: {
        Host: 'auth.vestibule.localhost:9091',
        Cookie: john.cookie,
        'Sec-Fetch-Site': 'same-origin',
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams(fields).toString(),
    })
  const confirm = (password: string) => () => form('/settings/confirm?with=password', { password })
  const elevate = (body: unknown) => () => john.api('PUT', ELEVATION, body)
  assert.deepEqual(await held(confirm('wrong')), [303, true])
  assert.deepEqual(await held(elevate({ password: 'wrong' })), [403, true])
  assert.deepEqual(await held(elevate({ totp: '123456' })), [403, false])
  assert.deepEqual(await held(elevate({ password: PASSWORD })), [200, true])
  assert.deepEqual(await held(confirm('wrong')), [303, true])
  const full = await confirm('wrong')()
  assert.equal(full.status, 429)
  assert.match(String(full.headers['set-cookie']), /^vestibule_session_/, 'its turn is reserved')
  assert.deepEqual(await held(elevate({ password: PASSWORD })), [429, false])
})
