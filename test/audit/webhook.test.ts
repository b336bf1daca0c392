import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { suite, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { EventName } from '../../src/features/audit/index.ts'
import manifest from '../../src/features/audit/manifest.ts'
import type { Sink } from '../../src/features/audit/sink.ts'
import {
  createWebhookRoute,
  createWebhookSink,
  WEBHOOK,
} from '../../src/features/audit/sinks/index.ts'
import { createOutbox, type Timing } from '../../src/features/outbox/index.ts'
import outboxManifest from '../../src/features/outbox/manifest.ts'
import { createOutboxStore } from '../../src/features/outbox/store.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { createSealer } from '../../src/kernel/seal.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { event } from '../conformance/audit-store.ts'
import { temporaryDirectory } from '../support/cli.ts'
import { FakeClock } from '../support/clock.ts'
import { until as eventually, settlesWithin } from '../support/pace.ts'

const { migrations } = outboxManifest
const quiet = { info() {}, warn() {}, error() {} }
const SECRET = 'a secret of the webhook, long enough'

interface Post {
  readonly url: string | undefined
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** A receiver that answers with these statuses, one after the other, and with the last one from then on. */
async function receiver(
  t: TestContext,
  statuses: readonly (number | 'nothing')[] | (() => number) = [204],
) {
  const posts: Post[] = []
  const server = http.createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk
    })
    request.on('end', () => {
      posts.push({ url: request.url, headers: request.headers, body })
      const status =
        typeof statuses === 'function'
          ? statuses()
          : (statuses[Math.min(posts.length, statuses.length) - 1] ?? 204)
      if (status === 'nothing') return
      response.writeHead(status, { Location: '/elsewhere' }).end()
    })
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => {
    server.closeAllConnections()
    server.close()
  })
  const { port } = server.address() as AddressInfo // a TCP server has one
  const until = async (count: number): Promise<readonly Post[]> => {
    await eventually(`${count} posts`, () => posts.length >= count)
    return posts
  }
  return { url: `http://127.0.0.1:${port}/hook?a=b`, posts, until }
}

/** The sink, and an instance of the outbox behind it. */
async function start(
  t: TestContext,
  url: string,
  {
    events,
    timing,
    secret = new Secret(SECRET),
    timeout = 1_000,
    storage: given,
  }: {
    readonly events?: readonly EventName[]
    readonly secret?: Secret
    readonly timeout?: number
    readonly timing?: Partial<Timing>
    readonly storage?: Storage
  } = {},
) {
  const said: string[] = []
  const say = (...[fields, msg]: unknown[]): void => void said.push(String(msg ?? fields))
  const log = { info: say, warn: say, error: say }
  const clock = new FakeClock()
  const storage = given ?? (await openStorage({ path: ':memory:', migrations, log: quiet }))
  if (given === undefined) t.after(() => storage.close())
  const route = createWebhookRoute({ url, secret, timeout, trusted: undefined, clock })
  const outbox = await createOutbox({
    ...{ storage, clock: systemClock, log, sealer: createSealer([secret], 'storage') },
    channels: { [WEBHOOK]: route },
    timing: { pauses: [10, 20, 30], poll: 10, grace: 50, ...timing },
  })
  const sink: Sink = createWebhookSink({ events, outbox, clock: systemClock, log })
  const close = async () => {
    await sink.close()
    await outbox.close()
  }
  t.after(close)
  const waiting = () => createOutboxStore(storage).count(WEBHOOK)
  return { sink, said, clock, close, waiting }
}

suite('a webhook', () => {
  test('is posted each event, signed with its time', async (t) => {
    const { url, until } = await receiver(t)
    const { sink, clock } = await start(t, url)
    const one = event(0, 'login.succeeded', { details: { method: 'password' } })
    sink.take(one)
    const [post] = await until(1)
    assert.equal(post?.url, '/hook?a=b')
    assert.deepEqual(JSON.parse(post.body), {
      type: 'login.succeeded',
      timestamp: '2026-01-15T12:00:00.000Z',
      data: {
        id: one.id,
        ...{ user: 'john', actor: 'unknown', address: '192.0.2.1', user_agent: 'Firefox/140.0' },
        request_id: '',
        details: { method: 'password' },
      },
    })
    const { headers } = post
    assert.equal(headers['webhook-id'], one.id)
    assert.equal(headers['webhook-timestamp'], String(clock.now() / 1000))
    const signed = `${one.id}.${headers['webhook-timestamp']}.${post.body}`
    const signature = createHmac('sha256', SECRET).update(signed).digest('base64')
    assert.equal(headers['webhook-signature'], `v1,${signature}`)
    assert.doesNotMatch(JSON.stringify(post), new RegExp(SECRET))
  })

  test('takes a secret as the specification writes it', async (t) => {
    const { url, until } = await receiver(t)
    const key = Buffer.from('0123456789abcdef0123456789abcdef')
    const secret = new Secret(`whsec_${key.toString('base64')}`)
    const { sink } = await start(t, url, { secret })
    sink.take(event(0))
    const [post] = await until(1)
    const { headers, body } = post ?? assert.fail()
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
    const signature = createHmac('sha256', key).update(signed).digest('base64')
    assert.equal(headers['webhook-signature'], `v1,${signature}`)
  })

  test('that fails or says nothing is tried again, with the same id', async (t) => {
    const { url, until, posts } = await receiver(t, [500, 429, 'nothing', 200])
    const { sink, said, waiting } = await start(t, url, { timeout: 100 })
    const first = event(0)
    sink.take(first)
    await until(4)
    await eventually('nothing waits', async () => (await waiting()) === 0)
    assert.deepEqual(
      posts.map(({ headers }) => headers['webhook-id']),
      [first.id, first.id, first.id, first.id],
    )
    assert.equal(new Set(posts.map(({ body }) => body)).size, 1)
    assert.deepEqual(said, ['a message could not be delivered; it is tried again'])
  })

  test('is told of events in their order', async (t) => {
    const { url, until } = await receiver(t)
    const { sink } = await start(t, url)
    const events = Array.from({ length: 30 }, () => event(0))
    for (const one of events) sink.take(one)
    const posts = await until(30)
    assert.deepEqual(
      posts.map(({ headers }) => headers['webhook-id']),
      events.map(({ id }) => id),
    )
  })

  test('is not followed where it leads, and who refuses an event is not asked again', async (t) => {
    for (const status of [301, 307, 308, 400, 404, 410]) {
      const { url, until, posts } = await receiver(t, [status, 200])
      const { sink, said } = await start(t, url)
      const [first, second] = [event(0), event(1)]
      sink.take(first)
      sink.take(second)
      await until(2)
      await sleep(20)
      assert.deepEqual(
        posts.map(({ url, headers }) => [url, headers['webhook-id']]),
        [
          ['/hook?a=b', first.id],
          ['/hook?a=b', second.id],
        ],
        String(status),
      )
      assert.deepEqual(said, ['a message could not be delivered, and is given up'])
    }
  })

  test('that is away loses no event over a restart, and gets each once from two instances', async (t) => {
    let away = true
    const { url, posts, until } = await receiver(t, () => (away ? 503 : 204))
    const folder = temporaryDirectory(t)
    const open = () => openStorage({ path: join(folder, 'db.sqlite3'), migrations, log: quiet })
    const before = await open()
    const first = await start(t, url, { storage: before })
    const events = Array.from({ length: 20 }, () => event(0))
    for (const one of events) first.sink.take(one)
    await until(1)
    await first.close()
    await before.close()
    const tried = posts.length
    away = false
    const [one, two] = [await open(), await open()]
    t.after(() => Promise.all([one.close(), two.close()]))
    const [, { waiting }] = [
      await start(t, url, { storage: one }),
      await start(t, url, { storage: { ...two, dialect: 'postgres' } }),
    ]
    await eventually('nothing waits', async () => (await waiting()) === 0)
    assert.deepEqual(
      posts
        .slice(tried)
        .map(({ headers }) => headers['webhook-id'])
        .sort(),
      events.map(({ id }) => id),
    )
  })

  test('what the database does not take waits in memory, bounded, and signing in goes on', async (t) => {
    const { url, until } = await receiver(t)
    const storage = await openStorage({ path: ':memory:', migrations, log: quiet })
    t.after(() => storage.close())
    let away = false
    const failing: Storage = {
      ...storage,
      db: () => (away ? Promise.reject(new AppError('STORE_UNAVAILABLE')) : storage.db()),
    }
    const { sink, said } = await start(t, url, { storage: failing })
    away = true
    for (let i = 0; i < 1_500; i++) sink.take(event(0))
    const waits = 'audit events for the webhook wait: the outbox does not take them'
    await eventually('it is said', () => said.includes(waits))
    away = false
    await until(1_000)
    const lost = 'audit events were not posted: the outbox did not take them for too long'
    assert.ok(said.includes(lost))
  })

  test('gets only the events that it asked for', async (t) => {
    const { url, until, posts } = await receiver(t)
    const { sink, close } = await start(t, url, { events: ['ban.added'] })
    sink.take(event(0))
    sink.take(event(1, 'ban.added', { details: { subject: '192.0.2.1' } }))
    await until(1)
    await close()
    assert.deepEqual(
      posts.map(({ body }) => JSON.parse(body).type),
      ['ban.added'],
    )
  })

  test('does not hold up the end', async (t) => {
    const { url } = await receiver(t, ['nothing'])
    const { sink, close } = await start(t, url, { timeout: 60_000 })
    sink.take(event(0))
    sink.take(event(1))
    assert.equal(await settlesWithin(5_000, close), true)
  })
})

test('a webhook is https, or on this machine, and its secret is long', () => {
  const parse = (webhook: unknown) => manifest.config.audit.safeParse({ webhook }).success
  for (const url of ['https://hooks.example.com/a', 'http://127.0.0.1:8/a', 'http://localhost/'])
    assert.equal(parse({ url, secret: SECRET }), true, url)
  for (const url of ['http://hooks.example.com/a', 'http://10.0.0.1/', 'ftp://127.0.0.1/', 'x'])
    assert.equal(parse({ url, secret: SECRET }), false, url)
  assert.equal(parse({ url: 'https://hooks.example.com/', secret: 'short' }), false)
  assert.equal(parse({ url: 'https://hooks.example.com/' }), false)
  assert.equal(parse({ url: 'https://a.example', secret: SECRET, events: ['login.stolen'] }), false)
})
