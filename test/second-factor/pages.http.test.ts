import assert from 'node:assert/strict'
import { test } from 'node:test'
import { PASSWORD } from '../support/server.ts'
import { memoryFactors } from './memory-factors.ts'
import {
  actionOf,
  BANK,
  bodyOf,
  enrolmentOf,
  linkOf,
  type MakeFactors,
  openPortal,
  Person,
  PORTAL,
} from './portal.ts'

const RD = `?rd=${encodeURIComponent(BANK)}&rm=GET`
const plain: MakeFactors = () => ({})

const WRONG = /<div class="alert" role="alert" id="wrong">/
const FOCUSED = /aria-invalid="true" aria-describedby="wrong" autofocus/

test('the target is carried through sign-in, confirmation, enrolment and recovery codes', async (t) => {
  const john = new Person(await openPortal(t, plain))
  const { url } = await john.open(`/second-factor${RD}`)
  assert.equal(url.href, `${PORTAL}/?${new URLSearchParams({ rd: BANK, rm: 'GET' })}`)
  await john.signIn()
  john.wait()
  // No factor yet: to enrolment, which asks for the password first.
  const asked = await john.open(`/second-factor${RD}`)
  assert.equal(asked.url.pathname, '/settings/confirm')
  assert.match(bodyOf(asked), /Type your password again/)
  const wrong = await john.send(actionOf(asked), { password: 'wrong' })
  assert.match(bodyOf(wrong), WRONG)
  assert.match(bodyOf(wrong), FOCUSED)
  const shown = await john.send(actionOf(wrong), { password: PASSWORD })
  assert.equal(shown.url.pathname, '/second-factor/enrol/totp')
  assert.match(bodyOf(shown), /<svg class="qr" role="img" aria-label="QR code/)
  john.url = enrolmentOf(shown)
  const secret = new URL(john.url).searchParams.get('secret') ?? ''
  assert.ok(secret.length >= 32)
  assert.ok(bodyOf(shown).includes(`>${secret.match(/.{1,4}/g)?.join(' ')}<`), 'in groups of four')
  const offered = await john.send(actionOf(shown), { url: john.url, code: john.code() })
  assert.equal(offered.url.pathname, '/second-factor/recovery-codes')
  const codes = await john.send(actionOf(offered))
  assert.equal(bodyOf(codes).match(/<li><code>/g)?.length, 10)
  const last = await john.open(linkOf(codes, 'I have saved them'))
  assert.equal(last.url.href, BANK)
  assert.equal(last.answer, undefined)
})

test('what is not confirmed by a code does not count', async (t) => {
  const john = new Person(await openPortal(t, plain))
  await john.signIn()
  john.wait()
  const asked = await john.open('/second-factor/enrol/totp')
  const shown = await john.send(actionOf(asked), { password: PASSWORD })
  john.url = enrolmentOf(shown)
  for (const code of ['000000x', '', '1'.repeat(5000)]) {
    const wrong = await john.send(actionOf(shown), { url: john.url, code })
    assert.equal(wrong.answer?.status, 400)
    assert.match(bodyOf(wrong), WRONG)
    assert.equal(enrolmentOf(wrong), john.url, 'the app has scanned this one')
  }
  assert.match(bodyOf(await john.open('/settings/factors')), /Add an authenticator app/)
  assert.equal((await john.open('/second-factor/totp')).url.pathname, '/second-factor/enrol/totp')
  // What comes back instead of our own address is not shown.
  for (const url of [
    'javascript:alert(1)',
    `otpauth://totp/${'x'.repeat(2000)}`,
    'otpauth://hotp/x',
  ]) {
    const { answer } = await john.send(actionOf(shown), { url, code: '1' })
    assert.ok(!answer?.body.includes(url.slice(0, 30)) || answer.body.includes('secret='), url)
  }
})

test('a code is asked for, wrong ones are told, and a right one leads on', async (t) => {
  const server = await openPortal(t, plain)
  const john = new Person(server)
  await john.signIn()
  await john.enrol()
  const later = new Person(server)
  later.url = john.url
  await later.signIn()
  const asked = await later.open(`/second-factor${RD}`)
  assert.equal(asked.url.pathname, '/second-factor/totp')
  assert.match(bodyOf(asked), /inputmode="numeric" autocomplete="one-time-code"/)
  const before = [...later.browser.cookies('auth.example.com').values()]
  for (const code of ['', 'x', '1'.repeat(70), '000 000']) {
    const wrong = await later.send(actionOf(asked), { code })
    assert.match(bodyOf(wrong), WRONG)
    assert.match(bodyOf(wrong), FOCUSED)
    assert.equal(wrong.url.searchParams.get('rd'), BANK)
  }
  const code = later.code()
  const on = await later.send(actionOf(asked), { code: `${code.slice(0, 3)} ${code.slice(3)}` })
  assert.equal(on.url.href, BANK)
  assert.notDeepEqual([...later.browser.cookies('auth.example.com').values()], before)
  // Shown once more, the page leads on: the back button does no harm.
  assert.equal((await later.open(`/second-factor/totp${RD}`)).url.href, BANK)
  assert.equal((await later.send(actionOf(asked), { code })).url.href, BANK)
})

test('a recovery code works once, and the page says how many are left', async (t) => {
  const server = await openPortal(t, plain)
  const john = new Person(server)
  await john.signIn()
  const offered = await john.enrol()
  const codes = await john.send(actionOf(offered))
  const [code = ''] = [...bodyOf(codes).matchAll(/<li><code>([^<]+)</g)].map(([, found]) => found)
  for (const right of [true, false]) {
    const later = new Person(server)
    await later.signIn()
    const other = await later.open(`/second-factor${RD}`)
    const asked = await later.open(linkOf(other, 'Recovery code'))
    const shown = await later.send(actionOf(asked), { code: ` ${code.toLowerCase()} ` })
    if (!right) {
      assert.match(bodyOf(shown), WRONG)
      continue
    }
    assert.match(bodyOf(shown), /9 codes are left/)
    assert.equal((await later.open(linkOf(shown, 'Continue'))).url.href, BANK)
  }
})

test('too many wrong codes are told with the time, and the target is kept', async (t) => {
  const server = await openPortal(t, (tools) => memoryFactors(tools, { tries: 1 }))
  const john = new Person(server)
  await john.signIn()
  await john.enrol()
  const later = new Person(server)
  await later.signIn()
  const path = `/second-factor/totp${RD}`
  await later.ask(path, { code: '1' })
  const limited = await later.ask(path, { code: '2' })
  assert.equal(limited.status, 429)
  assert.equal(limited.headers['retry-after'], '30')
  assert.match(limited.body, /data-seconds="30"/)
  assert.ok(limited.body.includes(encodeURIComponent('https://bank.example.com')))
})

test('a user who may not enrol is told whom to ask', async (t) => {
  const john = new Person(await openPortal(t, (tools) => memoryFactors(tools, { mayEnrol: false })))
  await john.signIn()
  const none = await john.open(`/second-factor${RD}`)
  assert.equal(none.answer?.status, 403)
  assert.match(bodyOf(none), /needs an invitation/)
  john.wait()
  const asked = await john.open('/second-factor/enrol/totp')
  const refused = await john.send(actionOf(asked), { password: PASSWORD })
  assert.equal(refused.answer?.status, 403)
  assert.match(bodyOf(refused), /needs an invitation/)
})

test('the preferred method comes first, and the others are another way', async (t) => {
  const server = await openPortal(t, (tools) => memoryFactors(tools, { keys: ['Blue key'] }))
  const john = new Person(server)
  await john.signIn()
  // The fake knows a key of everybody: the form is sent without one, after a code.
  const key = await john.open(`/second-factor${RD}`)
  assert.equal(key.url.pathname, '/second-factor/webauthn')
  assert.match(bodyOf(key), /<button[^>]* id="webauthn" data-purpose="sign-in"[^>]* hidden>/)
  assert.match(bodyOf(key), /<noscript>/)
})

test('the list of factors: remove and rename after a confirmation that leads back', async (t) => {
  const server = await openPortal(t, plain)
  const john = new Person(server)
  await john.signIn()
  await john.enrol()
  const again = new Person(server)
  again.url = john.url
  await again.signIn()
  const page = await again.open('/settings/factors')
  assert.match(bodyOf(page), /aria-current="page">Second factors</)
  assert.match(bodyOf(page), /Codes from an app/)
  const asked = await again.send('/settings/factors', { action: 'remove-totp' })
  assert.equal(asked.url.pathname, '/settings/confirm')
  const back = await again.send(actionOf(asked), { code: again.code() })
  assert.equal(back.url.pathname, '/settings/factors')
  assert.match(bodyOf(back), /Confirmed\. You can make your changes now/)
  assert.match(bodyOf(back), /Codes from an app/, 'nothing was removed meanwhile')
  const odd = ['', 'x', 'remove-key', 'rename-key', 'prefer', '__proto__']
  for (const action of odd)
    assert.match(bodyOf(await again.send('/settings/factors', { action })), /Nothing was changed/)
  const removed = await again.send('/settings/factors', { action: 'remove-totp' })
  assert.match(bodyOf(removed), /Removed\./)
  assert.match(bodyOf(removed), /You sign in with a password alone/)
  const gone = await again.send('/settings/factors', { action: 'remove-totp' })
  assert.match(bodyOf(gone), /not there any more/)
})

test('a confirmation leads to a page of the portal and nowhere else', async (t) => {
  const server = await openPortal(t, plain)
  for (const to of [
    '//evil.test',
    'https://evil.test/',
    '/\\evil.test',
    '/settings/../logout',
    '/settings/factors?x=',
    '/logout',
    '/api/user/sessions',
    '/settings/%2e%2e/x',
  ]) {
    const john = new Person(server)
    await john.signIn()
    const asked = await john.open(`/settings/confirm?to=${encodeURIComponent(to)}`)
    const { headers } = await john.ask(actionOf(asked), { password: PASSWORD })
    assert.equal(headers.location, '/settings/factors?confirmed=', to)
  }
})

test('no other site sends these forms', async (t) => {
  const john = new Person(await openPortal(t, plain))
  await john.signIn()
  await john.enrol()
  for (const path of [
    '/second-factor/totp',
    '/second-factor/recovery-code',
    '/second-factor/enrol/totp',
    '/second-factor/recovery-codes',
    '/settings/confirm',
    '/settings/factors',
    '/settings/password',
  ]) {
    const { status } = await john.browser.ask(PORTAL + path, {
      method: 'POST',
      headers: {
        'Sec-Fetch-Site': 'cross-site',
        'Content-Type': 'application/x-www-form-urlencoded',
      },
      body: 'action=remove-totp&password=x&repeat=x',
    })
    assert.equal(status, 403, path)
  }
  assert.match(bodyOf(await john.open('/settings/factors')), /Codes from an app/)
})

test('a new password ends all other sessions, and this browser goes on', async (t) => {
  const server = await openPortal(t, plain)
  const [john, other] = [new Person(server), new Person(server)]
  await john.signIn()
  await other.signIn()
  john.wait()
  const asked = await john.open('/settings/password')
  assert.equal(asked.url.pathname, '/settings/confirm')
  const form = await john.send(actionOf(asked), { password: PASSWORD })
  assert.equal(form.url.pathname, '/settings/password')
  assert.equal(bodyOf(form).match(/autocomplete="new-password"/g)?.length, 2)
  const send = (password: string, repeat = password) =>
    john.send('/settings/password', { password, repeat })
  assert.match(bodyOf(await send('one', 'two')), /not the same/)
  assert.match(bodyOf(await send('')), /can(&#39;|')t be used/)
  assert.match(bodyOf(await other.open('/settings/factors')), /Second factors/)
  assert.match(bodyOf(await send('a new horse')), /Your password is changed/)
  assert.equal((await other.open('/settings/factors')).url.pathname, '/')
  const fresh = new Person(server)
  await assert.rejects(fresh.signIn(PASSWORD))
  await fresh.signIn('a new horse')
})
