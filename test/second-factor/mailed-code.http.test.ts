import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { type TestContext, test } from 'node:test'
import { type BuiltApp, buildApp } from '../support/app.ts'
import { until } from '../support/pace.ts'
import { PASSWORD } from '../support/server.ts'
import { usersYaml } from '../support/users.ts'
import { type Browser, code as codeAt, dataOf, openBrowser } from './browser.ts'
import { actionOf, bodyOf, linkOf, openPortal, Person, PORTAL } from './portal.ts'

const ELEVATION = '/api/user/session/elevation'
const notifier = { filesystem: { filename: 'mail.txt' } }
const MINUTE = 60_000

const build = async (t: TestContext, config: Readonly<Record<string, unknown>> = {}) =>
  buildApp(t, {
    config: { notifier, ...config },
    users: await usersYaml({
      john: { email: 'john@example.com' },
      jane: { email: 'jane@example.com' },
      mute: { email: '' },
    }),
  })

/** The newest mail, once there is one other than `former`. */
async function mailOf({ folder }: Pick<BuiltApp, 'folder'>, former = ''): Promise<string> {
  const read = () => readFileSync(join(folder, 'mail.txt'), 'utf8')
  await until('a mail came', () => read() !== former && /[A-Z2-9]{6,12}/.test(read()))
  return read()
}

const otcOf = (mail: string): string =>
  /^ {4}([A-Z2-9]{6,12})$/m.exec(mail)?.[1] ?? assert.fail(mail)

/** Past the time in which what was shown at sign-in elevates. */
const later = (built: BuiltApp, browser: Browser) => pass(built, browser, 12)

/** Time passes, and the session is used now and then. */
async function pass({ clock }: BuiltApp, browser: Browser, minutes: number): Promise<void> {
  for (let i = 0; i < minutes; i++) {
    clock.advance(MINUTE)
    assert.equal((await browser.get('/api/user/info')).status, 200)
  }
}

test('a mailed code elevates the session that asked for it, once', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  await later(built, john)
  assert.deepEqual(dataOf(await john.get(ELEVATION)).methods, ['password', 'mail'])
  const asked = await john.api('POST', ELEVATION)
  assert.equal(asked.status, 200)
  assert.match(dataOf(asked).delete_id, /^[\w-]{22}$/)
  const otc = otcOf(await mailOf(built))
  assert.equal(otc.length, 8)
  const other = await openBrowser(built, 'john')
  const jane = await openBrowser(built, 'jane')
  for (const thief of [other, jane])
    assert.equal((await thief.api('PUT', ELEVATION, { otc })).status, 403)
  assert.match(built.output(), /Unsuccessful One-Time Code authentication attempt by user 'john'/)
  assert.equal((await john.api('PUT', ELEVATION, { otc: 'x'.repeat(21) })).status, 400)
  // As people type it.
  const typed = ` ${otc.slice(0, 4).toLowerCase()}-${otc.slice(4)}`
  const both = await Promise.all([
    john.api('PUT', ELEVATION, { otc: typed }),
    john.api('PUT', ELEVATION, { otc }),
  ])
  assert.deepEqual(both.map(({ status }) => status).sort(), [200, 403])
  assert.equal(dataOf(await john.get(ELEVATION)).elevated, true)
  assert.match(
    built.output(),
    /event=session\.elevated.*method=mail|method=mail.*session\.elevated/,
  )
  assert.ok(!built.output().includes(otc))
})

test('a mailed code is of no use from another address, late, or after the next one', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  await later(built, john)
  await john.api('POST', ELEVATION)
  const first = await mailOf(built)
  const answer = await built.request(ELEVATION, {
    ...{ method: 'PUT', remoteAddress: '127.0.0.9' },
    headers: {
      ...{ Host: 'auth.vestibule.localhost:9091', Cookie: john.cookie },
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({ otc: otcOf(first) }),
  })
  assert.equal(answer.status, 403)
  await john.api('POST', ELEVATION)
  const second = await mailOf(built, first)
  assert.equal((await john.api('PUT', ELEVATION, { otc: otcOf(first) })).status, 403)
  await pass(built, john, 5)
  assert.equal((await john.api('PUT', ELEVATION, { otc: otcOf(second) })).status, 403)
})

test('codes are as long as the configuration says, and end when it says', async (t) => {
  const elevated_session = { characters: 12, code_lifespan: '20 minutes' }
  const built = await build(t, {
    ...{ identity_validation: { elevated_session } },
  })
  const john = await openBrowser(built, 'john')
  await john.api('POST', ELEVATION)
  const otc = otcOf(await mailOf(built))
  assert.equal(otc.length, 12)
  await pass(built, john, 19)
  assert.equal((await john.api('PUT', ELEVATION, { otc })).status, 200)
})

test('a code is revoked without a session, by its id and by the link of its mail', async (t) => {
  const built = await openPortal(t, () => ({}), { notifier })
  const john = new Person(built)
  await john.signIn()
  const ask = () => john.browser.ask(PORTAL + ELEVATION, { method: 'POST' })
  const put = (otc: string) =>
    john.browser.ask(PORTAL + ELEVATION, {
      ...{ method: 'PUT', body: JSON.stringify({ otc }) },
      headers: { 'Content-Type': 'application/json' },
    })
  const asked = await ask()
  const first = await mailOf(built)
  const id = JSON.parse(asked.body).data.delete_id
  const revoke = (one: string) =>
    built.request(`${ELEVATION}/${one}`, {
      method: 'DELETE',
      headers: { Host: 'auth.example.com' },
    })
  assert.deepEqual(JSON.parse((await revoke('unknown')).body).status, 'KO')
  assert.deepEqual(JSON.parse((await revoke(id)).body), { status: 'OK' })
  const again = await revoke(id)
  assert.deepEqual([again.status, JSON.parse(again.body).status], [200, 'KO'])
  assert.equal((await put(otcOf(first))).status, 403)

  await ask()
  const second = await mailOf(built, first)
  const [link = ''] =
    /https:\/\/auth\.example\.com\/revoke\/one-time-code\?id=[\w-]+/.exec(second) ?? []
  assert.notEqual(link, '', second)
  const stranger = new Person(built)
  // What looks at mails opens every link.
  for (let i = 0; i < 2; i++)
    assert.match(bodyOf(await stranger.browser.visit(link)), /You did not ask for this code/)
  const page = await stranger.browser.visit(link)
  assert.match(bodyOf(await stranger.send(actionOf(page))), /The code is revoked/)
  assert.equal((await put(otcOf(second))).status, 403)
  assert.match(built.output(), /event=elevation\.revoked/)
})

test('who asks for many codes waits, in every session, and others do not', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const other = await openBrowser(built, 'john')
  const answers = await Promise.all(
    [john, other, john, other, john].map((browser) => browser.api('POST', ELEVATION)),
  )
  const statuses = answers.map(({ status }) => status).sort()
  assert.deepEqual(statuses, [200, 200, 200, 429, 429])
  const limited = answers.find(({ status }) => status === 429)
  assert.equal(limited?.headers['retry-after'], '300')
  const jane = await openBrowser(built, 'jane')
  assert.equal((await jane.api('POST', ELEVATION)).status, 200)
  await pass(built, john, 5)
  assert.equal((await john.api('POST', ELEVATION)).status, 200)
  assert.equal((await john.api('POST', ELEVATION)).status, 200)
  // Five within twice the time.
  assert.equal((await john.api('POST', ELEVATION)).status, 429)
})

test('wrong mailed codes count as all wrong codes do', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  await john.api('POST', ELEVATION)
  const otc = otcOf(await mailOf(built))
  for (let i = 0; i < 5; i++)
    assert.equal((await john.api('PUT', ELEVATION, { otc: 'AAAAAAAA' })).status, 403)
  const limited = await john.api('PUT', ELEVATION, { otc })
  assert.deepEqual([limited.status, limited.headers['retry-after']], [429, '30'])
  built.clock.advance(30_000)
  // It was not used up.
  assert.equal((await john.api('PUT', ELEVATION, { otc })).status, 200)
})

test('a code from a mailbox does not stand in for a second factor', async (t) => {
  const built = await build(t)
  const john = await openBrowser(built, 'john')
  const secret = await john.enrol()
  built.clock.advance(MINUTE)
  const thief = await openBrowser(built, 'john')
  assert.deepEqual(dataOf(await thief.get(ELEVATION)).methods, ['totp'])
  assert.equal((await thief.api('POST', ELEVATION)).status, 403)
  const token = await codeAt(secret, built.clock.now())
  await thief.api('POST', '/api/secondfactor/totp', { token })
  await later(built, thief)
  assert.deepEqual(dataOf(await thief.get(ELEVATION)).methods, ['totp', 'mail'])
  await thief.api('POST', ELEVATION)
  const otc = otcOf(await mailOf(built))
  assert.equal((await thief.api('PUT', ELEVATION, { otc })).status, 200)
  assert.equal(dataOf(await thief.get(ELEVATION)).elevated, true)
})

test('without a mail address, or a notifier, no code is offered', async (t) => {
  const built = await build(t)
  const mute = await openBrowser(built, 'mute')
  assert.deepEqual(dataOf(await mute.get(ELEVATION)).methods, ['password'])
  assert.equal((await mute.api('POST', ELEVATION)).status, 403)
  const without = await build(t, { notifier: undefined })
  const john = await openBrowser(without, 'john')
  assert.deepEqual(dataOf(await john.get(ELEVATION)).methods, ['password'])
  assert.equal((await john.api('POST', ELEVATION)).status, 403)
  assert.equal((await john.api('PUT', ELEVATION, { otc: 'ABCDEFGH' })).status, 403)
})

test('the page that confirms sends a code and takes it, without scripts', async (t) => {
  const built = await openPortal(t, () => ({}), { notifier })
  const john = new Person(built)
  await john.signIn()
  john.wait()
  const asked = await john.open('/settings/password')
  assert.equal(asked.url.pathname, '/settings/confirm')
  const offer = await john.open(
    new URL(linkOf(asked, 'Code by mail'), PORTAL).href.slice(PORTAL.length),
  )
  assert.match(bodyOf(offer), /Send me a code/)
  const sent = await john.send(actionOf(offer))
  assert.match(bodyOf(sent), /on its way/)
  const otc = otcOf(await mailOf(built))
  const wrong = await john.send(actionOf(sent), { code: 'AAAAAAAA' })
  assert.match(bodyOf(wrong), /id="wrong"/)
  const done = await john.send(actionOf(wrong), { code: otc.toLowerCase() })
  assert.equal(done.url.pathname, '/settings/password')
  // The way back to the password is there too.
  john.wait()
  const once = await john.open('/settings/confirm?with=mail')
  const back = await john.open(linkOf(once, 'Password'))
  await john.send(actionOf(back), { password: PASSWORD })
  assert.equal((await john.open('/settings/password')).url.pathname, '/settings/password')
})
