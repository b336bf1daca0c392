import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import http from 'node:http'
import type { AddressInfo } from 'node:net'
import { suite, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import manifest from '../../src/features/audit/manifest.ts'
import type { Sink } from '../../src/features/audit/sink.ts'
import { createWebhookSink } from '../../src/features/audit/sinks/index.ts'
import { Secret } from '../../src/kernel/secret.ts'
import { event } from '../conformance/audit-store.ts'
import { FakeClock } from '../support/clock.ts'
import { until as eventually, settlesWithin } from '../support/pace.ts'

const SECRET = 'a secret of the webhook, long enough'

interface Post {
  readonly url: string | undefined
  readonly headers: http.IncomingHttpHeaders
  readonly body: string
}

/** A receiver that answers with these statuses, one after the other, and with the last one from then on. */
async function receiver(t: TestContext, statuses: readonly (number | 'nothing')[] = [204]) {
  const posts: Post[] = []
  const server = http.createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => {
      body += chunk
    })
    request.on('end', () => {
      posts.push({ url: request.url, headers: request.headers, body })
      const status = statuses[Math.min(posts.length, statuses.length) - 1] ?? 204
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

function start(
  t: TestContext,
  url: string,
  options: Partial<Parameters<typeof createWebhookSink>[0]> = {},
) {
  const said: string[] = []
  const say = (...[, msg]: unknown[]): void => void said.push(String(msg))
  const clock = new FakeClock()
  const sink: Sink = createWebhookSink({
    url,
    secret: new Secret(SECRET),
    events: undefined,
    timeout: 1_000,
    trusted: undefined,
    clock,
    log: { warn: say, error: say },
    pauses: [10, 20, 30],
    ...options,
  })
  t.after(() => sink.close())
  return { sink, said, clock }
}

suite('a webhook', () => {
  test('is posted each event, signed with its time', async (t) => {
    const { url, until } = await receiver(t)
    const { sink, clock } = start(t, url)
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
    const { sink } = start(t, url, { secret })
    sink.take(event(0))
    const [post] = await until(1)
    const { headers, body } = post ?? assert.fail()
    const signed = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`
    const signature = createHmac('sha256', key).update(signed).digest('base64')
    assert.equal(headers['webhook-signature'], `v1,${signature}`)
  })

  test('that fails or says nothing is tried again, and the order is kept', async (t) => {
    const { url, until, posts } = await receiver(t, [500, 429, 'nothing', 200])
    const { sink, said } = start(t, url, { timeout: 100 })
    const [first, second] = [event(0), event(1)]
    sink.take(first)
    sink.take(second)
    await until(5)
    await sleep(30)
    assert.deepEqual(
      posts.map(({ headers }) => headers['webhook-id']),
      [first.id, first.id, first.id, first.id, second.id],
    )
    assert.deepEqual(said, ['an audit event was not posted; it is tried again'])
  })

  test('is not followed where it leads, and who refuses an event is not asked again', async (t) => {
    for (const status of [301, 307, 308, 400, 404, 410]) {
      const { url, until, posts } = await receiver(t, [status, 200])
      const { sink, said } = start(t, url)
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
      assert.deepEqual(said, ['an audit event was not posted, and is given up'])
    }
  })

  test('that stays away is given up, event by event, and what waits is bounded', async (t) => {
    const { sink, said } = start(t, 'http://127.0.0.1:1/', { pauses: [1] })
    for (let i = 0; i < 1_500; i++) sink.take(event(i))
    for (const line of [
      'an audit event was not posted, and is given up',
      'audit events were not posted: the webhook is too slow, or away',
    ])
      await eventually(line, () => said.includes(line))
  })

  test('gets only the events that it asked for', async (t) => {
    const { url, until, posts } = await receiver(t)
    const { sink } = start(t, url, { events: ['ban.added'] })
    sink.take(event(0))
    sink.take(event(1, 'ban.added', { details: { subject: '192.0.2.1' } }))
    await until(1)
    await sink.close()
    assert.deepEqual(
      posts.map(({ body }) => JSON.parse(body).type),
      ['ban.added'],
    )
  })

  test('does not hold up the end', async (t) => {
    const { url } = await receiver(t, ['nothing'])
    const { sink, said } = start(t, url, { timeout: 60_000 })
    sink.take(event(0))
    sink.take(event(1))
    assert.equal(await settlesWithin(5_000, () => sink.close()), true)
    assert.deepEqual(said, ['audit events were not posted before the end'])
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
