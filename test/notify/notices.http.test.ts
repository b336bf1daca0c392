/** What users are told by mail, over the real application. */
import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { code, dataOf, openBrowser } from '../second-factor/browser.ts'
import { buildApp } from '../support/app.ts'
import { type MailServer, startMailServer } from '../support/mail-server.ts'
import { settlesWithin, until } from '../support/pace.ts'
import { usersYaml } from '../support/users.ts'

const MINUTE = 60_000
const CODES = '/api/secondfactor/recovery-codes'

async function build(
  t: TestContext,
  config: Readonly<Record<string, unknown>> = {},
  answer?: () => Error | undefined,
) {
  const server = await startMailServer(t, {
    disabledCommands: ['STARTTLS'],
    ...(answer && { answer }),
  })
  const smtp = {
    ...{ address: `smtp://127.0.0.1:${server.port}`, sender: 'portal@example.com' },
    disable_require_tls: true,
  }
  const built = await buildApp(t, {
    config: { notifier: { smtp }, ...config },
    users: await usersYaml({ john: { email: 'john@example.com' }, mute: { email: '' } }),
  })
  return { built, server }
}

const subjectsOf = ({ mails }: MailServer): readonly string[] =>
  mails.map(({ source }) => /^Subject: (.*)$/m.exec(source)?.[1] ?? source).sort()

const sent = (server: MailServer, ...subjects: readonly string[]) =>
  until(subjects.join(', '), () => {
    const found = subjectsOf(server)
    return subjects.every((subject) => found.includes(`[Authelia] ${subject}`))
  })

test('a user is told of a new device, of each change of second factors, and of wrong codes once', async (t) => {
  const { built, server } = await build(t)
  const john = await openBrowser(built, 'john')
  await sent(server, 'New Device Signed In')
  const secret = await john.enrol()
  await sent(server, 'Second Factor Method Added')
  const { codes } = dataOf(await john.api('POST', CODES))
  await sent(server, 'Recovery Codes Created')
  const path = '/api/secondfactor/recovery-code'
  assert.equal((await john.api('POST', path, { code: codes[0] })).status, 200)
  await sent(server, 'Recovery Code Used')
  built.clock.advance(MINUTE)
  const wrong = await code(secret, built.clock.now() + 10 * MINUTE)
  for (let i = 0; i < 7; i++) await john.api('POST', '/api/secondfactor/totp', { token: wrong })
  await sent(server, 'Too Many Wrong Codes')
  assert.equal((await john.api('DELETE', '/api/secondfactor/totp')).status, 200)
  await sent(server, 'Second Factor Method Removed')
  assert.deepEqual(
    subjectsOf(server),
    [
      ...['New Device Signed In', 'Recovery Code Used', 'Recovery Codes Created'],
      ...['Second Factor Method Added', 'Second Factor Method Removed', 'Too Many Wrong Codes'],
    ].map((subject) => `[Authelia] ${subject}`),
  )
  for (const { to, source } of server.mails) {
    assert.deepEqual(to, ['john@example.com'])
    // No secret is in a mail, and nothing that a client says of itself.
    for (const text of [...codes, 'lightMyRequest']) assert.ok(!source.includes(text))
  }
})

test('no request waits for the mail server, or fails with it', async (t) => {
  let answered = 0
  const { built } = await build(t, {}, () => {
    answered++
    return Object.assign(new Error('not now'), { responseCode: 451 })
  })
  const john = await openBrowser(built, 'john')
  assert.ok(await settlesWithin(5000, () => john.enrol()))
  await until('it was tried', () => answered > 0)
})

test('without notifications.new_device a sign-in is not told, and a user without mail is told nothing', async (t) => {
  const { built, server } = await build(t, { notifications: { new_device: false } })
  const mute = await openBrowser(built, 'mute')
  await mute.enrol()
  const john = await openBrowser(built, 'john')
  await john.enrol()
  await sent(server, 'Second Factor Method Added')
  assert.equal(server.mails.length, 1)
})
