import assert from 'node:assert/strict'
import { type TestContext, test } from 'node:test'
import { createAudit } from '../../src/features/audit/index.ts'
import auditManifest from '../../src/features/audit/manifest.ts'
import { type Notification, sendNotices } from '../../src/features/notify/index.ts'
import { openStorage } from '../../src/storage/index.ts'
import { FakeClock } from '../support/clock.ts'
import { until } from '../support/pace.ts'

const quiet = { info() {}, warn() {}, error() {} }

async function start(t: TestContext) {
  const { migrations } = auditManifest
  const storage = await openStorage({ path: ':memory:', migrations, log: quiet })
  t.after(() => storage.close())
  const audit = createAudit({
    config: auditManifest.config.audit.parse({}),
    ...{ storage, outbox: undefined, clock: new FakeClock(), log: quiet },
  })
  t.after(() => audit.close())
  const sent: Notification[] = []
  const said: string[] = []
  sendNotices({
    ...{ config: { new_device: true }, audit },
    users: {
      profile(name) {
        if (name === 'away') throw new Error('the directory is away')
        if (name === 'gone') return undefined
        const email = name === 'mute' ? '' : `${name}@example.com`
        return { name, displayName: name.toUpperCase(), email, groups: [] }
      },
    },
    notifier: {
      async send(notification) {
        sent.push(notification)
        return true
      },
    },
    log: { error: (...[, msg]: unknown[]) => void said.push(String(msg)) },
  })
  return { audit, sent, said }
}

test('a user is told of a password and of factors that an administrator changed', async (t) => {
  const { audit, sent } = await start(t)
  const details = { reason: 'reset' }
  audit.record('password.changed', { user: 'john', actor: 'operator' })
  audit.record('factor.removed', { user: 'john', actor: 'user:admin', details })
  audit.record('password.changed', { user: 'jane', actor: 'user:jane', address: '192.0.2.1' })
  await until('they are sent', () => sent.length === 3)
  const told = sent.map(({ to, subject, fields }) => [
    to.address,
    subject,
    fields.remoteIP,
    'details' in fields ? fields.details?.['By'] : undefined,
  ])
  assert.deepEqual(told.sort(), [
    ['jane@example.com', 'Password changed successfully', '192.0.2.1', undefined],
    ['john@example.com', 'Password changed successfully', '', 'an administrator'],
    ['john@example.com', 'Second Factors Reset', '', 'an administrator'],
  ])
})

test('a user is told that a browser is trusted, and until when', async (t) => {
  const { audit, sent } = await start(t)
  const details = { device: 'abc', until: 86_400_000 }
  audit.record('device.trusted', { user: 'john', actor: 'user:john', details })
  await until('it is sent', () => sent.length === 1)
  const [mail] = sent
  assert.equal(mail?.subject, 'Browser Trusted')
  assert.ok(mail && 'details' in mail.fields)
  assert.equal(mail.fields.details?.['Until'], '1970-01-02T00:00:00.000Z')
})

test('what cannot be told is a line of the log, and who has no address is told nothing', async (t) => {
  const { audit, sent, said } = await start(t)
  for (const user of ['', 'mute', 'gone', 'away'])
    audit.record('password.changed', { user, actor: 'system' })
  audit.record('login.succeeded', {
    user: 'john',
    actor: 'user:john',
    details: { new_device: false },
  })
  audit.record('login.failed', { user: 'john', actor: 'unknown' })
  await until('it is said', () => said.length > 0)
  assert.deepEqual(said, ['a user was not told of an event'])
  assert.deepEqual(sent, [])
})
