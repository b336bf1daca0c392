import assert from 'node:assert/strict'
import { chmodSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'node:test'
import { createFileChannel } from '../../src/features/notify/channels/index.ts'
import type { Mail } from '../../src/features/notify/notification.ts'
import { temporaryDirectory } from '../support/cli.ts'
import { FakeClock } from '../support/clock.ts'

const mail: Mail = {
  id: 'id',
  to: { name: 'John Doe', address: 'john@example.com' },
  title: 'Confirm your identity',
  text: 'your code is ABCD2345',
  html: '<p>not written</p>',
}
const never = new AbortController().signal

test('the file holds the last message, in Authelia’s format, for its owner alone', async (t) => {
  const path = join(temporaryDirectory(t), 'made', 'mail.txt')
  const channel = createFileChannel({ path, clock: new FakeClock() })
  await channel.check()
  assert.equal(readFileSync(path, 'utf8'), '')
  assert.equal(statSync(join(path, '..')).mode & 0o777, 0o700)
  await channel.deliver({ ...mail, text: 'a longer text that is replaced\n'.repeat(9) }, never)
  chmodSync(path, 0o644)
  assert.deepEqual(await channel.deliver(mail, never), { kind: 'sent' })
  assert.equal(
    readFileSync(path, 'utf8'),
    'Date: 2026-01-15 12:00:00 +0000 UTC\nRecipient: john@example.com\n' +
      'Subject: Confirm your identity\nyour code is ABCD2345\n\n',
  )
  assert.equal(statSync(path).mode & 0o777, 0o600)
})

test('two messages at once are not mixed', async (t) => {
  const path = join(temporaryDirectory(t), 'mail.txt')
  const channel = createFileChannel({ path, clock: new FakeClock() })
  const texts = ['a', 'b', 'c', 'd'].map((letter) => letter.repeat(50_000))
  await Promise.all(texts.map((text) => channel.deliver({ ...mail, text }, never)))
  const body = readFileSync(path, 'utf8').split('\n')[3] ?? ''
  assert.ok(texts.includes(body))
})

test('a file that cannot be written, or is a link, is refused with its name', async (t) => {
  const folder = temporaryDirectory(t)
  writeFileSync(join(folder, 'other'), 'untouched')
  symlinkSync(join(folder, 'other'), join(folder, 'link'))
  for (const path of [join(folder, 'other', 'mail.txt'), join(folder, 'link')]) {
    const channel = createFileChannel({ path, clock: new FakeClock() })
    await assert.rejects(channel.check(), (error) => String(error).includes(path))
    assert.equal((await channel.deliver(mail, never)).kind, 'failed')
  }
  assert.equal(readFileSync(join(folder, 'other'), 'utf8'), 'untouched')
})
