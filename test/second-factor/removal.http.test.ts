/** What ends with a second factor: sessions that rose by it, and what was shown in the same moment. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { resetFactors } from '../../src/features/second-factor/operations.ts'
import { levelOf } from '../../src/features/sessions/index.ts'
import { OPERATOR } from '../../src/kernel/operation.ts'
import { buildApp } from '../support/app.ts'
import { usersYaml } from '../support/users.ts'
import { code, openBrowser } from './browser.ts'

const TOTP = '/api/secondfactor/totp'
const CODES = '/api/secondfactor/recovery-codes'
const build = async (t: TestContext) =>
  buildApp(t, { users: await usersYaml({ john: {}, jane: {} }), sessions: 'sqlite' })

test('with a factor, the other sign-ins that have shown it end; those that have not go on', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const secret = await john.enrol()
  const codes = JSON.parse((await john.api('POST', CODES)).body).data.codes
  const [thief, plain, saved] = await Promise.all([1, 2, 3].map(() => openBrowser(built, 'john')))
  assert.ok(thief && plain && saved)
  built.clock.advance(60_000)
  const token = await code(secret, built.clock.now())
  assert.equal((await thief.api('POST', TOTP, { token })).status, 200)
  const path = '/api/secondfactor/recovery-code'
  assert.equal((await saved.api('POST', path, { code: codes[0] })).status, 200)
  assert.deepEqual([await thief.verify(), await saved.verify()], [200, 200])

  assert.equal((await john.api('POST', CODES)).status, 200)
  assert.deepEqual([await thief.verify(), await saved.verify()], [200, 401], 'codes replace codes')
  assert.equal((await john.api('DELETE', TOTP)).status, 200)
  assert.equal(await thief.verify(), 401)
  assert.equal(await john.verify(), 200, 'the browser that removed it goes on')
  assert.equal((await plain.get('/api/user/info')).status, 200)
  const [line] = await built.until(/^.*event=session\.revoked.*$/m)
  assert.match(line, /actor="user:john".*reason=factor-changed/)
})

test('a factor that is removed while it is shown raises no session', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  for (let round = 0; round < 12; round++) {
    const secret = await john.enrol()
    const other = await openBrowser(built, 'john')
    built.clock.advance(30_000)
    const token = await code(secret, built.clock.now())
    const removing = () => john.api('DELETE', TOTP)
    const first = round % 2 === 0 ? removing() : undefined
    const showing = other.api('POST', TOTP, { token })
    const [removed] = await Promise.all([first ?? removing(), showing])
    assert.equal(removed.status, 200)
    assert.equal(await other.verify(), 401, `round ${round}`)
    const own = (await built.services.sessions.list('john')).filter((one) => levelOf(one) === 2)
    assert.equal(own.length, 1)
  }
})

const tables = ['totp', 'webauthn_', 'recovery_', 'second_factor_', 'trusted_']

test('nothing is left under the name of a user whose factors were removed', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const secret = await john.enrol()
  assert.equal((await john.api('POST', CODES)).status, 200)
  const method = { method: 'totp' }
  assert.equal((await john.api('POST', '/api/user/info/2fa_method', method)).status, 200)
  const other = await openBrowser(built, 'john')
  assert.equal((await other.api('POST', TOTP, { token: '000000' })).status, 403)
  const key = '/api/secondfactor/webauthn/credential/register'
  assert.equal((await john.api('PUT', key, { description: 'Key' })).status, 200)
  await built.factors.registry.invite('john')

  const { sqlite } = built.services.storage
  const names = sqlite
    .prepare(
      "select m.name from sqlite_master m join pragma_table_info(m.name) c where m.type = 'table' and c.name = 'user_name'",
    )
    .all()
    .map(({ name }) => String(name))
    .filter((name) => tables.some((prefix) => name.startsWith(prefix)))
  const left = () =>
    names.filter((name) => sqlite.prepare(`select 1 from ${name} where user_name = 'john'`).get())
  assert.ok(left().length >= 8, String(left()))
  assert.equal(await built.factors.registry.removeAll('john'), 2)
  assert.deepEqual(left(), [])
  assert.ok(secret)
})

test('a reset by the operator ends the sessions, and takes the known devices away', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  await john.enrol()
  const jane = await openBrowser(built, 'jane')
  const { throttle, factors } = built
  const { sessions } = built.services
  const events: string[] = []
  const audit = { record: (name: string) => void events.push(name) }
  const services = { factors: factors.registry, sessions, devices: throttle.devices, audit }
  assert.deepEqual(await resetFactors.execute(services, { user: 'john' }, OPERATOR), { removed: 1 })
  assert.equal(await john.verify(), 401)
  assert.equal((await jane.get('/api/user/info')).status, 200)
  assert.deepEqual(await throttle.devices.list('john'), [])
  assert.equal((await throttle.devices.list('jane')).length, 1)
  assert.deepEqual(events, ['factor.removed', 'session.revoked'])
})
