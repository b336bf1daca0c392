/** A browser that a user trusts passes for a second factor: for whom, where, how long, and what ends it. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import {
  deleteKeys,
  deleteTotp,
  importKeys,
  importTotp,
} from '../../src/features/second-factor/operations.ts'
import { levelOf } from '../../src/features/sessions/index.ts'
import { OPERATOR } from '../../src/kernel/operation.ts'
import { forOperations } from '../../src/services/index.ts'
import { type BuiltApp, buildApp } from '../support/app.ts'
import { approved } from '../support/approved.ts'
import { PASSWORD } from '../support/server.ts'
import { usersYaml } from '../support/users.ts'
import { code, secretOf } from './browser.ts'

const PORTAL = 'auth.vestibule.localhost:9091'
const DAY = 86_400_000
const SECOND = '/api/secondfactor/totp'

const KEY = {
  ...{ user: 'john', rpId: 'auth.vestibule.localhost', keyId: 'AAAA', name: 'Key' },
  ...{ attestation: 'none', aaguid: '', attachment: '', transports: [], signCount: 0 },
  ...{ cloneWarning: false, discoverable: false, verified: true, backupEligible: false },
  ...{ backedUp: false, createdAt: 1, lastUsedAt: null, publicKey: 'AAAA', handle: null },
}

const build = async (t: TestContext, config: Readonly<Record<string, unknown>> = {}) =>
  buildApp(t, {
    config: {
      second_factor: { trusted_device: { duration: '30d' } },
      session: {
        inactivity: '1h',
        expiration: '1d',
        cookies: [
          { domain: 'vestibule.localhost', portal_url: `http://${PORTAL}` },
          { domain: 'other.localhost', portal_url: 'http://auth.other.localhost:9091' },
        ],
      },
      ...config,
    },
    users: await usersYaml({ john: { email: 'john@example.com' }, jane: {} }),
    sessions: 'sqlite',
  })

/** Keeps every cookie of one portal. */
class Jar {
  readonly cookies = new Map<string, string>()
  readonly #built: BuiltApp
  readonly #host: string
  constructor(built: BuiltApp, host = PORTAL) {
    this.#built = built
    this.#host = host
  }
  get cookie(): string {
    return [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ')
  }
  async ask(method: string, path: string, body?: unknown, type = 'application/json') {
    const answer = await this.#built.request(path, {
      method,
      headers: {
        Host: this.#host,
        Cookie: this.cookie,
        'Content-Type': type,
        'Sec-Fetch-Site': 'same-origin',
      },
      ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    })
    for (const one of [answer.headers['set-cookie'] ?? []].flat()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(one) ?? []
      if (value === '') this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return answer
  }
  /** @returns the level of the session */
  async signIn(username = 'john', password = PASSWORD): Promise<number> {
    this.cookies.delete('vestibule_session')
    const { status } = await this.ask('POST', '/api/firstfactor', { username, password })
    assert.equal(status, 200)
    return this.level()
  }
  async level(): Promise<number> {
    return JSON.parse((await this.ask('GET', '/api/state')).body).data.authentication_level
  }
}

/** john with an app, at a browser that he trusts. */
async function trusting(t: TestContext, config?: Readonly<Record<string, unknown>>) {
  const built = await build(t, config)
  const john = new Jar(built)
  await john.signIn()
  const begun = JSON.parse((await john.ask('PUT', `${SECOND}/register`, {})).body).data
  const secret = secretOf(begun.base32_secret)
  const next = async () => {
    built.clock.advance(60_000)
    return code(secret, built.clock.now())
  }
  const confirm = { token: await code(secret, built.clock.now()) }
  assert.equal((await john.ask('POST', `${SECOND}/register`, confirm)).status, 200)
  const trust = async () => {
    await john.signIn()
    const answer = await john.ask('POST', SECOND, { token: await next(), trustDevice: true })
    assert.equal(answer.status, 200)
  }
  await trust()
  return { built, john, next, trust }
}

test('is level 2 with the password, of the time at which it was trusted, and no claim says more', async (t) => {
  const { built, john } = await trusting(t)
  const trustedAt = built.clock.now()
  built.clock.advance(DAY)
  assert.equal(await john.signIn(), 2)
  const [session] = await built.services.sessions.list('john')
  assert.ok(session)
  assert.deepEqual(session.factors, [
    { kind: 'password', at: built.clock.now() },
    { kind: 'trusted-device', at: trustedAt },
  ])
  const [line] = await built.until(/^.*event=device\.trusted.*$/m)
  assert.match(line, /actor="user:john"/)
  const devices = JSON.parse((await john.ask('GET', '/api/user/devices')).body).data
  const until = devices.map((one: { trusted_until: string | null }) => one.trusted_until)
  assert.ok(until.includes(new Date(trustedAt + 30 * DAY).toISOString()), String(until))
})

test('elevates nothing: settings ask for the factor, whatever skips it', async (t) => {
  const skip = { identity_validation: { elevated_session: { skip_second_factor: true } } }
  const { built, john, next } = await trusting(t, skip)
  built.clock.advance(DAY)
  assert.equal(await john.signIn(), 2)
  assert.equal((await john.ask('DELETE', SECOND)).status, 403)
  const path = '/api/user/session/elevation'
  assert.equal((await john.ask('PUT', path, { password: PASSWORD })).status, 403)
  assert.equal((await john.ask('PUT', path, { totp: await next() })).status, 200)
  assert.equal((await john.ask('DELETE', SECOND)).status, 200)
})

test('offers no mailed code: a mailbox stands in for no factor', async (t) => {
  const notifier = { filesystem: { filename: 'mail.txt' } }
  const { built, john, next } = await trusting(t, { notifier })
  built.clock.advance(DAY)
  assert.equal(await john.signIn(), 2)
  const path = '/api/user/session/elevation'
  const methods = async () => JSON.parse((await john.ask('GET', path)).body).data.methods
  assert.deepEqual(await methods(), ['totp'])
  assert.equal((await john.ask('POST', path)).status, 403)
  assert.equal((await john.ask('PUT', path, { otc: 'ABCD2345' })).status, 403)
  assert.equal((await john.ask('PUT', path, { totp: await next() })).status, 200)
  assert.deepEqual(await methods(), ['totp', 'mail'])
})

test('is forgotten when the operator adds, replaces or removes factors', async (t) => {
  const { built, john, next, trust } = await trusting(t)
  const { services } = built
  const given = { ...forOperations(services), sessions: services.sessions }
  const other = await john.ask('POST', '/api/secondfactor/recovery-codes')
  assert.equal(other.status, 200)
  await trust()
  const nothing = { entries: [], force: false, dryRun: false }
  await importKeys.execute(given, nothing, OPERATOR)
  assert.equal(await john.signIn(), 2, 'nothing was added')
  const entries = [...(await services.storedFactors.totp.entries('john'))]
  const look = { entries, force: true, dryRun: true }
  await importTotp.execute(given, look, OPERATOR)
  assert.equal(await john.level(), 2, 'a look')
  await importTotp.execute(given, { ...look, dryRun: false }, OPERATOR)
  assert.equal(await john.level(), 0, 'what may have risen by the former one ends')
  assert.equal(await john.signIn(), 1)
  await trust()
  await importKeys.execute(given, { ...nothing, entries: [KEY] }, OPERATOR)
  assert.equal(await john.level(), 2, 'nothing was replaced')
  assert.equal(await john.signIn(), 1)
  await trust()
  assert.equal((await deleteKeys.execute(given, { user: 'john' }, OPERATOR)).length, 1)
  assert.equal(await john.level(), 0)
  assert.equal(await john.signIn(), 1)
  await john.ask('POST', SECOND, { token: await next(), trustDevice: true })
  assert.equal(await john.signIn(), 2)
  assert.deepEqual(await deleteTotp.execute(given, { user: 'john' }, OPERATOR), { removed: true })
  assert.equal(await john.level(), 0)
  assert.equal(await john.signIn(), 1)
  const [line] = await built.until(/^.*event=session\.revoked.*$/m)
  assert.match(line, /actor=operator.*reason=factor-changed/)
})

test('ends at its time, to the millisecond, and is off where the configuration says so', async (t) => {
  const { built, john } = await trusting(t)
  built.clock.advance(30 * DAY - 1)
  assert.equal(await john.signIn(), 2)
  built.clock.advance(1)
  assert.equal(await john.signIn(), 1)
  const off = await trusting(t, { second_factor: {} })
  assert.equal(await off.john.signIn(), 1)
})

test('is of one user, one browser and one portal', async (t) => {
  const { built, john } = await trusting(t)
  const stranger = new Jar(built)
  assert.equal(await stranger.signIn(), 1, 'a browser without the cookie')
  const jane = new Jar(built)
  for (const [name, value] of john.cookies) jane.cookies.set(name, value)
  assert.equal(await jane.signIn('jane'), 1, 'another user of the browser')
  const device = john.cookies.get('vestibule_session_device')
  assert.ok(device)
  const elsewhere = new Jar(built, 'auth.other.localhost:9091')
  elsewhere.cookies.set(
    'vestibule_session_device',
    jane.cookies.get('vestibule_session_device') ?? '',
  )
  assert.equal(await elsewhere.signIn(), 1, 'the portal of another domain')
  const rows = built.services.storage.sqlite.prepare('select * from trusted_devices').all()
  assert.equal(rows.length, 1)
  for (const value of Object.values(rows[0] ?? {})) {
    const thief = new Jar(built)
    thief.cookies.set('vestibule_session_device', String(value))
    assert.equal(await thief.signIn(), 1, 'what the database holds')
  }
})

test('a device cookie from before it was trusted has not become more', async (t) => {
  const { built, john, next } = await trusting(t)
  await john.ask('DELETE', '/api/user/devices')
  await john.signIn()
  const planted = john.cookies.get('vestibule_session_device') ?? ''
  await john.ask('POST', SECOND, { token: await next(), trustDevice: true })
  assert.notEqual(john.cookies.get('vestibule_session_device'), planted)
  const thief = new Jar(built)
  thief.cookies.set('vestibule_session_device', planted)
  assert.equal(await thief.signIn(), 1)
  assert.equal(await john.signIn(), 2)
})

const form = (fields: Readonly<Record<string, string>>) =>
  [new URLSearchParams(fields).toString(), 'application/x-www-form-urlencoded'] as const

test('is forgotten with what it stood for, and a cookie that is played again says nothing', async (t) => {
  const { built, john, next, trust } = await trusting(t)
  const endings: Readonly<Record<string, () => Promise<unknown>>> = {
    'one device': async () => {
      const { data } = JSON.parse((await john.ask('GET', '/api/user/devices')).body)
      const one = data.find((device: { trusted_until: unknown }) => device.trusted_until !== null)
      return john.ask('DELETE', `/api/user/devices/${one.id}`)
    },
    'all devices': () => john.ask('DELETE', '/api/user/devices'),
    'the page': async () => {
      const { body } = await john.ask('GET', '/settings/factors')
      const [, device = ''] = /name="device" value="([^"]+)"/.exec(body) ?? []
      return john.ask('POST', '/settings/factors/forget', ...form({ device }))
    },
    'new recovery codes': () => john.ask('POST', '/api/secondfactor/recovery-codes'),
    'a lifted ban': async () => {
      const by = 'root'
      await built.throttle.bans.add({ kind: 'user', name: 'john', reason: '', duration: DAY, by })
      return built.throttle.bans.liftTarget({ kind: 'user', name: 'john', by })
    },
    'a reset': () => built.factors.trusted.forget('john'),
  }
  for (const [what, end] of Object.entries(endings)) {
    assert.equal(await john.signIn(), 2, what)
    const before = new Map(john.cookies)
    await john.ask('PUT', '/api/user/session/elevation', { totp: await next() })
    await end()
    assert.equal(await john.signIn(), 1, what)
    const replay = new Jar(built)
    for (const [name, value] of before) replay.cookies.set(name, value)
    assert.equal(await replay.signIn(), 1, `${what}, and the cookie from before`)
    await trust()
  }
  await built.users.setPassword('john', approved('another good password'))
  assert.equal(await john.signIn('john', 'another good password'), 1)
})

test('sessions that began with it end with a factor that is removed, elsewhere too', async (t) => {
  const { built, john, next } = await trusting(t)
  assert.equal(await john.signIn(), 2)
  const owner = new Jar(built)
  await owner.signIn()
  assert.equal((await owner.ask('POST', SECOND, { token: await next() })).status, 200)
  assert.equal((await owner.ask('DELETE', SECOND)).status, 200)
  assert.equal(await john.level(), 0)
  const levels = (await built.services.sessions.list('john')).map(levelOf)
  assert.deepEqual(levels, [2])
})

test('is asked for with a box of the page, without scripts, where it is switched on', async (t) => {
  const { john, next } = await trusting(t)
  await john.ask('DELETE', '/api/user/devices')
  assert.equal(await john.signIn(), 1)
  const { body } = await john.ask('GET', '/second-factor/totp')
  assert.match(
    body,
    /<input type="checkbox" id="trust-device" name="trust" value="on"> Trust this browser for 1 month/,
  )
  const sent = form({ code: await next(), trust: 'on' })
  assert.equal((await john.ask('POST', '/second-factor/totp', ...sent)).status, 303)
  assert.equal(await john.signIn(), 2)
  const off = await trusting(t, { second_factor: {} })
  assert.equal(await off.john.signIn(), 1)
  assert.doesNotMatch((await off.john.ask('GET', '/second-factor/totp')).body, /trust-device/)
})
