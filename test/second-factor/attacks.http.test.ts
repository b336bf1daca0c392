import assert from 'node:assert/strict'
import { Readable } from 'node:stream'
import { type TestContext, test } from 'node:test'
import { type BuiltApp, buildApp } from '../support/app.ts'
import { usersYaml } from '../support/users.ts'
import { type Browser, code, dataOf, openBrowser, secretOf } from './browser.ts'
import { memoryFactors } from './memory-factors.ts'
import { openPortal, Person } from './portal.ts'

const REGISTER = '/api/secondfactor/totp/register'
const HOST = 'auth.vestibule.localhost:9091'

const build = async (t: TestContext, config: Readonly<Record<string, unknown>> = {}) =>
  buildApp(t, {
    config,
    users: await usersYaml({ john: {}, jane: {} }),
    sessions: 'sqlite',
  })

/** Sends the headers of a POST, and the body after `meanwhile`: the server reads it when it has let the headers pass. */
async function hesitantly(
  { app }: BuiltApp,
  { cookie }: Browser,
  { path, type, body }: { readonly path: string; readonly type: string; readonly body: string },
  meanwhile: () => Promise<void>,
): Promise<number> {
  let asked = false
  const payload = new Readable({
    read() {
      if (asked) return
      asked = true
      meanwhile().then(
        () => {
          this.push(body)
          this.push(null)
        },
        (error: Error) => this.destroy(error),
      )
    },
  })
  const answer = await app.fastify.inject({
    method: 'POST',
    url: path,
    headers: {
      Host: HOST,
      Cookie: cookie,
      'Content-Type': type,
      'Content-Length': String(body.length),
      'Sec-Fetch-Site': 'same-origin',
    },
    payload,
  })
  assert.ok(asked, 'the headers passed')
  return answer.statusCode
}

test('a body that is held back until the user has a factor enrols none with the password alone', async (t) => {
  const built = await build(t)
  for (const type of ['application/json', 'application/x-www-form-urlencoded'] as const) {
    const name = type === 'application/json' ? 'john' : 'jane'
    const thief = await openBrowser(built, name)
    const begun = dataOf(await thief.api('PUT', REGISTER, {}))
    const token = await code(secretOf(begun.base32_secret), built.clock.now())
    const owner = await openBrowser(built, name)
    const isJson = type === 'application/json'
    let secret: Buffer | undefined
    const status = await hesitantly(
      built,
      thief,
      {
        ...{ type, path: isJson ? REGISTER : '/second-factor/enrol/totp' },
        body: isJson ? JSON.stringify({ token }) : `code=${token}`,
      },
      async () => {
        secret = await owner.enrol()
      },
    )
    // The page leads to the confirmation.
    assert.equal(status, isJson ? 403 : 303)
    assert.equal(dataOf(await thief.get('/api/state')).authentication_level, 1)
    assert.ok(secret)
    built.clock.advance(60_000)
    const own = await code(secret, built.clock.now())
    const shown = await thief.api('POST', '/api/secondfactor/totp', { token: own })
    assert.equal(shown.status, 200, 'the app of the owner is still the one that counts')
  }
})

test('what comes back instead of our own address is no server error', async (t) => {
  const john = new Person(await openPortal(t, () => ({})))
  await john.signIn()
  await john.open('/second-factor/enrol/totp')
  for (const url of [
    `otpauth://totp/${'\u{1F4A5}'.repeat(500)}`,
    `otpauth://totp/${'\u20AC'.repeat(1000)}`,
    'otpauth://totp/x\u0000?secret=A',
    'otpauth://totp/\uFFFD?secret=%',
  ]) {
    const { answer } = await john.send('/second-factor/enrol/totp', { url, code: '000000x' })
    assert.ok(answer && answer.status < 500, `${answer?.status} for ${url.slice(0, 20)}`)
  }
})

test('a page for a very long name has the secret, and no QR code', async (t) => {
  const issuer = '\u20AC'.repeat(64)
  const name = `j${'\u00E4'.repeat(250)}`
  const built = await buildApp(t, {
    config: { totp: { issuer } },
    users: await usersYaml({ [name]: {} }),
  })
  const person = await openBrowser(built, name)
  const page = await person.get('/second-factor/enrol/totp')
  assert.equal(page.status, 200, page.body)
  assert.match(page.body, /<code class="secret">/)
})

test('a key gets no name that the API would refuse', async (t) => {
  const names: string[] = []
  const portal = await openPortal(t, (tools) => {
    const { securityKeys } = memoryFactors(tools, { keys: ['Blue'] })
    if (securityKeys === undefined) throw new Error('no keys')
    const rename: typeof securityKeys.rename = async (_user, id, name) => {
      names.push(`${id} ${name}`)
      return 'renamed'
    }
    return { securityKeys: { ...securityKeys, rename } }
  })
  const john = new Person(portal)
  await john.signIn()
  for (const name of ['a\u0000b', 'a\u202Eb', 'x'.repeat(65), ' ', 'a\nb', 'x'.repeat(3000)]) {
    const sent = { action: 'rename-key', id: 'key0', name }
    const page = await john.send('/settings/factors', sent)
    assert.equal(page.url.search, '?gone=', JSON.stringify(name.slice(0, 9)))
  }
  await john.send('/settings/factors', { action: 'rename-key', id: 'key0', name: ' Green ' })
  await john.send('/settings/factors', { action: 'rename-key', id: 'k\u0000', name: 'Red' })
  assert.deepEqual(names, ['key0 Green', ' Red'])
})

/** Sends a form of a page, as its browser does, and keeps the new cookie. */
async function post(
  built: BuiltApp,
  browser: Browser,
  path: string,
  fields: Readonly<Record<string, string>>,
): Promise<number> {
  const answer = await built.request(path, {
    method: 'POST',
    headers: {
      Host: HOST,
      Cookie: browser.cookie,
      'Content-Type': 'application/x-www-form-urlencoded',
      'Sec-Fetch-Site': 'same-origin',
    },
    body: new URLSearchParams(fields).toString(),
  })
  for (const cookie of answer.headers['set-cookie'] ?? [])
    if (cookie.startsWith('vestibule_session='))
      browser.cookie = cookie.slice(0, cookie.indexOf(';'))
  return answer.status
}

test('a new password makes nothing fresh that was shown before', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  await john.enrol()
  const expires = async (): Promise<number> =>
    dataOf(await john.get('/api/user/session/elevation')).expires
  const before = await expires()
  built.clock.advance(300_000)
  const next = { password: 'another good password', repeat: 'another good password' }
  assert.equal(await post(built, john, '/settings/password', next), 303)
  assert.equal(dataOf(await john.get('/api/state')).authentication_level, 2)
  assert.ok((await expires()) <= before - 300)
})

test('recovery codes that a page made are in the audit trail, and no code is', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  await john.enrol()
  const before = built.output().length
  assert.equal(await post(built, john, '/second-factor/recovery-codes', {}), 200)
  const found = await built.until(/^.*factor\.codes-created.*$/m, before)
  assert.doesNotMatch(found[0], /[0-9A-Z]{4}-[0-9A-Z]{4}/)
})

test('challenges for passkeys are limited by address: each is kept until its time is over', async (t) => {
  const built = await build(t, { webauthn: { enable_passkey_login: true } })
  const ask = (remoteAddress: string) =>
    built.request('/api/firstfactor/passkey', { headers: { Host: HOST }, remoteAddress })
  let granted = 0
  while (granted <= 2000 && (await ask('127.0.0.1')).status === 200) granted++
  assert.equal(granted, 600)
  const refused = await ask('127.0.0.1')
  assert.equal(refused.status, 429)
  assert.ok(Number(refused.headers['retry-after']) > 0)
  assert.equal((await ask('127.0.0.2')).status, 200)
  built.clock.advance(600_000)
  assert.equal((await ask('127.0.0.1')).status, 200)
})

const WRITES = [
  'PUT /api/user/session/elevation',
  'POST /api/user/session/elevation',
  'POST /api/user/session/elevation/webauthn',
  'POST /api/user/info',
  'POST /api/user/info/2fa_method',
  'POST /api/secondfactor/password',
  'POST /api/secondfactor/totp',
  'DELETE /api/secondfactor/totp',
  `PUT ${REGISTER}`,
  `POST ${REGISTER}`,
  `DELETE ${REGISTER}`,
  'POST /api/secondfactor/recovery-codes',
  'DELETE /api/secondfactor/recovery-codes',
  'POST /api/secondfactor/recovery-code',
  'POST /api/secondfactor/webauthn',
  'PUT /api/secondfactor/webauthn/credential/register',
  'POST /api/secondfactor/webauthn/credential/register',
  'DELETE /api/secondfactor/webauthn/credential/register',
  'PUT /api/secondfactor/webauthn/credential/x',
  'DELETE /api/secondfactor/webauthn/credential/x',
  'POST /api/firstfactor/passkey',
  'POST /second-factor/totp',
  'POST /second-factor/recovery-code',
  'POST /second-factor/password',
  'POST /second-factor/enrol/totp',
  'POST /second-factor/recovery-codes',
  'POST /settings/confirm',
  'POST /settings/factors',
  'POST /settings/password',
] as const

test('no other site writes, whatever it sends and wherever it is', async (t) => {
  const built = await build(t, { webauthn: { enable_passkey_login: true } })
  const john = await openBrowser(built, 'john')
  const origins = [
    { 'Sec-Fetch-Site': 'cross-site' },
    { 'Sec-Fetch-Site': 'same-site', Origin: `https://${HOST}` },
    { 'Sec-Fetch-Site': 'none' },
    { Origin: 'https://evil.example' },
    { Origin: 'null' },
  ]
  for (const write of WRITES) {
    const [method = '', path = ''] = write.split(' ')
    for (const from of origins) {
      for (const type of ['application/json', 'text/plain', 'application/x-www-form-urlencoded']) {
        const answer = await built.request(path, {
          method,
          headers: { Host: HOST, Cookie: john.cookie, 'Content-Type': type, ...from },
          body: '{}',
        })
        assert.equal(answer.status, 403, `${write} ${JSON.stringify(from)}: ${answer.body}`)
        assert.equal(answer.headers['set-cookie'], undefined)
      }
    }
  }
})

test('no answer with a secret may be stored, and none is logged', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const begun = await john.api('PUT', REGISTER, {})
  const secret: string = dataOf(begun).base32_secret
  const page = await john.get('/second-factor/enrol/totp')
  await john.enrol()
  const codes = await john.api('POST', '/api/secondfactor/recovery-codes', {})
  const [code]: string[] = dataOf(codes).codes
  assert.ok(code)
  const shown = await john.api('POST', '/api/secondfactor/recovery-code', { code })
  assert.equal(shown.status, 200)
  for (const answer of [begun, page, codes, shown])
    assert.equal(answer.headers['cache-control'], 'no-store')
  await built.until(/factor\.code-used/)
  const value = john.cookie.slice(john.cookie.indexOf('=') + 1)
  for (const hidden of [secret, code, code.replaceAll('-', ''), value])
    assert.ok(!built.output().includes(hidden), 'a secret is in the log')
})
