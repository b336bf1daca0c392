/** The whole of it: a server that is started, killed and started again, and the command line. */
import assert from 'node:assert/strict'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createOutbox } from '../../src/features/outbox/outbox.ts'
import { createOutboxStore } from '../../src/features/outbox/store.ts'
import { migrations } from '../../src/features.ts'
import { type EpochMs, systemClock } from '../../src/kernel/clock.ts'
import { createSealer } from '../../src/kernel/seal.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { openStorage } from '../../src/storage/index.ts'
import { runCli, temporaryDirectory } from '../support/cli.ts'
import { makeAuthority, startMailServer } from '../support/mail-server.ts'
import { until } from '../support/pace.ts'
import { startServer } from '../support/server.ts'

const KEY = 'a key of the database that is long enough'
const quiet = { info() {}, warn() {}, error() {} }

test('a mail that waits survives an outage of the mail server and kill -9, and arrives once', async (t) => {
  const folder = temporaryDirectory(t)
  const authority = makeAuthority(t)
  mkdirSync(join(folder, 'ca'))
  writeFileSync(join(folder, 'ca', 'ca.pem'), authority.cert)
  let away = true
  const server = await startMailServer(t, {
    certificate: authority.issue('localhost'),
    answer: () => (away ? Object.assign(new Error('not now'), { responseCode: 451 }) : undefined),
  })
  const config = {
    storage: { encryption_key: KEY },
    certificates_directory: join(folder, 'ca'),
    notifier: {
      smtp: {
        ...{ address: `submission://localhost:${server.port}`, timeout: '5s' },
        ...{ sender: 'Portal <portal@example.com>' },
      },
    },
  }
  await leaveInOutbox(folder)
  const first = await startServer(t, { config, folder, keep: true })
  await first.until(/could not be delivered; it is tried again/)
  first.signal('SIGKILL')
  await first.ended
  assert.equal(server.mails.length, 0)
  away = false
  await startServer(t, { config, folder, keep: true })
  await until('it arrived', () => server.mails.length > 0)
  await until('nothing waits', async () => (await waiting(folder)) === 0)
  assert.equal(server.mails.length, 1)
  assert.match(server.mails[0]?.source ?? '', /Your password was changed/)
})

const database = (folder: string) => join(folder, 'data', 'vestibule.sqlite3')

/** As a server that was killed right after it took the message would: the row is there, and held. */
async function leaveInOutbox(folder: string): Promise<void> {
  const storage = await openStorage({ path: database(folder), migrations, log: quiet })
  const sealer = createSealer([new Secret(KEY)], 'storage')
  const outbox = await createOutbox({
    ...{ storage, sealer, clock: systemClock, log: quiet },
    channels: {
      notification: {
        deliver: async () => ({ kind: 'failed', problem: 'not in this test' }),
        parallel: 1,
      },
    },
    timing: { poll: 1e6, pauses: [0] },
  })
  await outbox.close()
  const notification = {
    ...{ kind: 'event', to: { name: 'John', address: 'john@example.com' }, subject: 'Changed' },
    fields: { remoteIP: '', bodyPrefix: 'Your', bodyEvent: 'password', bodySuffix: 'was changed' },
  }
  await outbox.add({
    ...{ channel: 'notification', kind: 'event', payload: JSON.stringify(notification) },
    expiresAt: (Date.now() + 600_000) as EpochMs, // a number of milliseconds
  })
  const now = (Date.now() + 1000) as EpochMs // as above
  const until = (now + 600_000) as EpochMs // as above
  const claim = { channel: 'notification', holder: 'one that was killed', now, until, limit: 1 }
  assert.equal((await createOutboxStore(storage).claim(claim)).length, 1)
  await storage.close()
}

async function waiting(folder: string): Promise<number> {
  const storage = await openStorage({ path: database(folder), migrations, log: quiet })
  try {
    return await createOutboxStore(storage).count('notification')
  } finally {
    await storage.close()
  }
}

test('without a section nothing of it is there: no line, no row', async (t) => {
  const folder = temporaryDirectory(t)
  const server = await startServer(t, { folder, keep: true })
  await server.until(/listening on/)
  assert.doesNotMatch(server.output(), /notifier|the outbox/)
  assert.equal(await waiting(folder), 0)
})

test('a start with a mail server that cannot be used is refused, with the reason', async (t) => {
  const server = await startMailServer(t, { disabledCommands: ['STARTTLS'] })
  const notifier = {
    smtp: { address: `smtp://127.0.0.1:${server.port}`, sender: 'a@example.com', timeout: '5s' },
  }
  await assert.rejects(startServer(t, { config: { notifier } }), /STARTTLS/)
})

test('notifier test sends a message, or says what is wrong', async (t) => {
  const cwd = temporaryDirectory(t)
  const write = (notifier: unknown) => {
    const section = notifier === undefined ? {} : { notifier }
    const session = { cookies: [{ domain: 'example.com', authelia_url: 'https://a.example.com' }] }
    const access_control = { default_policy: 'one_factor' }
    writeFileSync(join(cwd, 'c.yml'), JSON.stringify({ session, access_control, ...section }), {
      mode: 0o600,
    })
  }
  const ask = (to: string) =>
    runCli(t, ['notifier', 'test', '--config', 'c.yml', '--to', to], { cwd })
  write({ filesystem: { filename: 'mail.txt' } })
  const done = await ask('john@example.com')
  assert.deepEqual([done.status, done.err], [0, ''])
  assert.match(done.out, /john@example\.com was written/)
  assert.match(readFileSync(join(cwd, 'mail.txt'), 'utf8'), /^Subject: Test message$/m)
  assert.match((await ask('john')).err, /no mail address/)
  write(undefined)
  assert.match((await ask('john@example.com')).err, /no notifier in the configuration/)
  const server = await startMailServer(t, { disabledCommands: ['STARTTLS'] })
  const address = `smtp://localhost:${server.port}`
  write({ smtp: { address, sender: 'a@example.com', timeout: '2s' } })
  const refused = await ask('john@example.com')
  assert.equal(refused.status, 1)
  assert.match(refused.err, /STARTTLS/)
})
