import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { getCACertificates } from 'node:tls'
import { z } from 'zod'
import {
  createNotifier,
  NOTIFICATION,
  type Notification,
  openNotificationRoute,
} from '../../src/features/notify/index.ts'
import manifest from '../../src/features/notify/manifest.ts'
import { createOutbox } from '../../src/features/outbox/index.ts'
import outboxManifest from '../../src/features/outbox/manifest.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { createSealer } from '../../src/kernel/seal.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { openStorage } from '../../src/storage/index.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { temporaryDirectory } from '../support/cli.ts'
import { makeAuthority, startMailServer } from '../support/mail-server.ts'
import { settlesWithin, until } from '../support/pace.ts'

const cleanup = suiteCleanup()
const authority = makeAuthority(cleanup)
const certificate = authority.issue('localhost')
const quiet = { info() {}, warn() {}, error() {} }

const event: Notification = {
  kind: 'event',
  to: { name: 'John Doe', address: 'john@example.com' },
  subject: 'Password changed successfully',
  fields: {
    remoteIP: '192.0.2.1',
    bodyPrefix: 'Your',
    bodyEvent: 'password',
    bodySuffix: 'was changed.',
  },
}

async function start(t: TestContext, section: Readonly<Record<string, unknown>>, cwd: string) {
  const storage = await openStorage({
    ...{ path: join(cwd, 'db.sqlite3'), migrations: outboxManifest.migrations, log: quiet },
  })
  t.after(() => storage.close())
  const said: string[] = []
  const say = (...[, msg]: unknown[]): void => void said.push(String(msg))
  const log = { info: say, warn: say, error: say }
  const route = await openNotificationRoute({
    config: z.parse(manifest.config.notifier, section) ?? assert.fail(),
    ...{ cwd, clock: systemClock },
    trusted: [...getCACertificates('default'), authority.cert],
  })
  const outbox = await createOutbox({
    ...{ storage, clock: systemClock, log, channels: { [NOTIFICATION]: route } },
    sealer: createSealer([new Secret('a key of the outbox, long enough')], 'storage'),
    timing: { pauses: [20], poll: 20, limit: 5_000, grace: 50 },
  })
  t.after(() => outbox.close())
  const notifier = createNotifier({ outbox, clock: systemClock, log })
  return { notifier, outbox, said }
}

const smtpTo = (port: number, more: Readonly<Record<string, unknown>> = {}) => ({
  smtp: {
    ...{ address: `submission://localhost:${port}`, sender: 'portal@example.com' },
    ...{ timeout: '2s', ...more },
  },
})

suite('a message', () => {
  test('reaches the file of notifier.filesystem', async (t) => {
    const cwd = temporaryDirectory(t)
    const { notifier } = await start(t, { filesystem: { filename: 'mail/last.txt' } }, cwd)
    assert.equal(await notifier.send(event), true)
    const text = () => readFileSync(join(cwd, 'mail', 'last.txt'), 'utf8')
    await until('it is there', () => text() !== '')
    assert.match(text(), /^Subject: Password changed successfully\nHello John Doe,/m)
  })

  test('that a server cannot take now reaches it once it can, over a restart', async (t) => {
    const cwd = temporaryDirectory(t)
    let refusing = true
    const server = await startMailServer(t, {
      certificate,
      answer: () =>
        refusing ? Object.assign(new Error('not now'), { responseCode: 451 }) : undefined,
    })
    const first = await start(t, smtpTo(server.port), cwd)
    await first.notifier.send(event)
    await until('it was tried', () => first.said.length > 0)
    await first.outbox.close()
    refusing = false
    await start(t, smtpTo(server.port), cwd)
    await until('it arrived', () => server.mails.length > 0)
    assert.equal(server.mails.length, 1)
    assert.match(server.mails[0]?.source ?? '', /Your password was changed\./)
  })

  test('holds up nobody while the mail server says nothing', async (t) => {
    const server = await startMailServer(t, {
      certificate,
      onConnect: () => {},
    })
    const section = { ...smtpTo(server.port), disable_startup_check: true }
    const { notifier } = await start(t, section, temporaryDirectory(t))
    assert.ok(await settlesWithin(1500, () => notifier.send(event)))
  })

  test('cannot add headers or recipients, whatever its fields hold', async (t) => {
    const server = await startMailServer(t, { certificate })
    const { notifier } = await start(t, smtpTo(server.port), temporaryDirectory(t))
    const evil = 'x\r\nBcc: all@example.com\r\n\r\nbody <all@example.com>, other@example.com'
    const to = { name: evil, address: 'john@example.com' }
    await notifier.send({
      ...event,
      to,
      subject: evil,
      fields: { ...event.fields, remoteIP: evil },
    })
    await until('it arrived', () => server.mails.length > 0)
    const [mail] = server.mails
    assert.deepEqual(mail?.to, ['john@example.com'])
    const [head = ''] = (mail?.source ?? '').split('\r\n\r\n')
    assert.doesNotMatch(head, /^(Bcc|Cc):/im)
    assert.equal(head.match(/^To:/gm)?.length, 1)
    assert.equal(head.match(/^Subject:/gm)?.length, 1)
  })

  for (const address of [
    '',
    'john',
    'john@example.com\r\nRCPT TO:<all@example.com>',
    'john@example.com, all@example.com',
    'a@b>c@example.com',
    'john doe@example.com',
    `${'x'.repeat(65)}@example.com`,
  ])
    test(`to ${JSON.stringify(address).slice(0, 40)} is not taken`, async (t) => {
      const section = { filesystem: { filename: 'mail.txt' } }
      const { notifier, said } = await start(t, section, temporaryDirectory(t))
      assert.equal(await notifier.send({ ...event, to: { name: 'John', address } }), false)
      assert.match(said.join(), /no usable mail address/)
    })
})

suite('the check at start', () => {
  test('refuses a server that cannot be used, unless it is turned off', async (t) => {
    const server = await startMailServer(t, { disabledCommands: ['STARTTLS'] })
    const cwd = temporaryDirectory(t)
    await assert.rejects(start(t, smtpTo(server.port), cwd), /STARTTLS/)
    await start(t, { ...smtpTo(server.port), disable_startup_check: true }, cwd)
  })
})

suite('the section', () => {
  for (const [section, message] of [
    [{}, /nowhere where messages go/],
    [{ ...smtpTo(25), filesystem: { filename: 'a' } }, /together with notifier\.filesystem/],
    [smtpTo(25, { username: 'portal' }), /is missing: there is a username/],
    [smtpTo(25, { password: 'secret' }), /is missing: there is a password/],
    [smtpTo(25, { sender: 'Portal' }), /no mail address/],
    [smtpTo(25, { sender: 'Portal\n<a@example.com>' }), /no mail address/],
    [smtpTo(25, { address: 'https://mail.example.com' }), /is not an address/],
  ] as const)
    test(`${JSON.stringify(section).slice(0, 60)} is refused`, () => {
      const { error } = z.safeParse(manifest.config.notifier, section)
      assert.match(error?.issues.map((issue) => issue.message).join() ?? '', message)
    })

  test('reads addresses as Authelia does', () => {
    for (const [address, scheme, port] of [
      ['mail.example.com', 'smtp', 25],
      ['mail.example.com:465', 'submissions', 465],
      ['mail.example.com:587', 'submission', 587],
      ['submission://mail.example.com', 'submission', 587],
      ['smtp://mail.example.com:2525', 'smtp', 2525],
      ['submissions://[::1]', 'submissions', 465],
    ] as const) {
      const smtp = { address, sender: 'a@example.com' }
      const parsed = z.parse(manifest.config.notifier, { smtp })?.smtp?.address
      assert.deepEqual([parsed?.scheme, parsed?.port], [scheme, port], address)
    }
  })
})
