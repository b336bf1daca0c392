import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/kernel/clock.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { OperatorError } from '../../src/kernel/operator-error.ts'
import { createConnection, PATIENCE } from '../../src/storage/redis/connection.ts'
import { createDialer } from '../../src/storage/redis/dial.ts'
import { RedisFault } from '../../src/storage/redis/fault.ts'
import { openRedis } from '../../src/storage/redis/index.ts'
import manifest from '../../src/storage/redis/manifest.ts'
import { freePort } from '../support/nginx.ts'
import { settlesWithin, until } from '../support/pace.ts'
import { startRedis, withoutRedis } from '../support/redis.ts'
import { startRelay } from '../support/relay.ts'

const skip = withoutRedis

/** The slice as it would be written. */
const slice = (written: Readonly<Record<string, unknown>>) => {
  const config = manifest.config['session.redis'].parse(written)
  assert.ok(config)
  return config
}

async function open(
  t: import('node:test').TestContext,
  written: Readonly<Record<string, unknown>>,
) {
  const lines: string[] = []
  const say = (_: unknown, text?: string) => void lines.push(text ?? '')
  const connection = await openRedis({
    config: slice({ timeout: '1s', ...written }),
    log: { info: say, warn: say },
    clock: systemClock,
  })
  t.after(() => connection.close())
  return { connection, lines }
}

const refusedWith = (code: string) => (error: unknown) =>
  error instanceof AppError && error.code === code

test('a call reaches Redis and brings its answer', { skip }, async (t) => {
  const { port } = await startRedis(t)
  const { connection } = await open(t, { host: '127.0.0.1', port })
  await connection.run((client) => client.set(`${connection.prefix}a`, '1'))
  assert.equal(await connection.run((client) => client.get('vestibule:a')), '1')
  await connection.check()
})

test('the start leaves nothing behind', { skip }, async (t) => {
  const server = await startRedis(t)
  await open(t, { host: '127.0.0.1', port: server.port })
  assert.deepEqual(await (await server.client()).keys('*'), [])
})

test('at start the first answer may take longer than a request would wait for it', {
  skip,
}, async (t) => {
  const relay = await startRelay(t, (await startRedis(t)).port)
  relay.hold('probe:none')
  const opening = open(t, { host: '127.0.0.1', port: relay.port, timeout: '30s' })
  let given: unknown
  opening.catch((error: unknown) => {
    given = error
  })
  await until('the first call is sent', () => relay.count('probe:none') === 1)
  await sleep(2 * PATIENCE)
  assert.equal(given, undefined)
  relay.release()
  const { connection, lines } = await opening
  assert.equal(await connection.run((client) => client.get('a')), null)
  assert.deepEqual(lines, [])
})

test('a start that gets no answer says so when its time is over', { skip }, async (t) => {
  const relay = await startRelay(t, (await startRedis(t)).port)
  relay.hold('probe:none')
  await assert.rejects(
    open(t, { host: '127.0.0.1', port: relay.port, timeout: '300ms' }),
    (error) => error instanceof OperatorError && /does not answer in time/.test(error.message),
  )
})

test('a silent Redis is given up on within 250 ms, and answers again without a restart', {
  skip,
}, async (t) => {
  const server = await startRedis(t)
  const { connection, lines } = await open(t, { host: '127.0.0.1', port: server.port })
  server.pause()
  for (let i = 0; i < 5; i++) {
    const given = settlesWithin(250, () =>
      assert.rejects(
        connection.run((client) => client.get('a')),
        refusedWith('STORE_UNAVAILABLE'),
      ),
    )
    assert.equal(await given, true)
  }
  server.resume()
  assert.equal(await connection.run((client) => client.get('a')), null)
  assert.deepEqual(lines, ['Redis is away', 'Redis is back'])
})

test('a Redis that is gone is refused at once, and the first call after its return succeeds', {
  skip,
}, async (t) => {
  const server = await startRedis(t)
  const { connection } = await open(t, { host: '127.0.0.1', port: server.port })
  await server.kill()
  for (let i = 0; i < 3; i++) {
    const given = settlesWithin(250, () =>
      assert.rejects(
        connection.run((client) => client.get('a')),
        refusedWith('STORE_UNAVAILABLE'),
      ),
    )
    assert.equal(await given, true)
    await sleep(30)
  }
  await server.start()
  assert.equal(await connection.run((client) => client.get('a')), null)
})

test('a password that is changed while it runs is said, once an outage', { skip }, async (t) => {
  const server = await startRedis(t)
  const { connection, lines } = await open(t, { host: '127.0.0.1', port: server.port })
  const admin = await server.client()
  await admin.config('SET', 'requirepass', 'changed')
  await admin.call('CLIENT', 'KILL', 'TYPE', 'normal', 'SKIPME', 'yes')
  const refused = async () => {
    await assert.rejects(
      connection.run((client) => client.get('a')),
      refusedWith('STORE_UNAVAILABLE'),
    )
    return lines.length >= 2
  }
  await until('both lines are logged', refused)
  // Further attempts say nothing more.
  for (let attempts = 0; attempts < 10; attempts++) await refused()
  assert.equal(lines.length, 2)
  assert.equal(lines[0], 'Redis is away')
  assert.match(lines[1] ?? '', /^Redis at 127\.0\.0\.1:\d+ asks for a password/)
  await admin.config('SET', 'requirepass', '')
  assert.equal(await connection.run((client) => client.get('a')), null)
  assert.equal(lines.at(-1), 'Redis is back')
})

test('a call that joins an attempt which fails gets its answer from the next one', {
  skip,
}, async (t) => {
  const server = await startRedis(t)
  const real = createDialer(slice({ host: '127.0.0.1', port: server.port }), undefined)
  const held = Promise.withResolvers<void>()
  let dials = 0
  const dialer = {
    ...real,
    async dial(limit: number) {
      dials++
      // The first attempt meets a fault that is mended while the call waits.
      if (dials === 1) {
        await held.promise
        throw new RedisFault('NOAUTH', 'NOAUTH Authentication required.')
      }
      return real.dial(limit)
    },
  }
  const connection = createConnection({ dialer, log: { info() {}, warn() {} }, clock: systemClock })
  t.after(() => connection.close())
  const first = connection.run((client) => client.get('a'), { patience: 20_000 })
  const joined = connection.run((client) => client.get('a'), { patience: 20_000 })
  held.resolve()
  await assert.rejects(first, refusedWith('STORE_UNAVAILABLE'))
  assert.equal(await joined, null)
  assert.equal(dials, 2)
})

test('many calls at once wait for one attempt, and all get their answer', { skip }, async (t) => {
  const server = await startRedis(t)
  const { connection } = await open(t, { host: '127.0.0.1', port: server.port })
  const observer = await server.client()
  const before = Number(/total_connections_received:(\d+)/.exec(await observer.info('stats'))?.[1])
  server.pause()
  const late = Array.from({ length: 500 }, () => connection.run((client) => client.get('a')))
  const results = await Promise.allSettled(late)
  assert.ok(results.every(({ status }) => status === 'rejected'))
  const patience = 20_000
  const waiting = Array.from({ length: 500 }, () =>
    connection.run((client) => client.get('a'), { patience }),
  )
  server.resume()
  const back = await Promise.allSettled(waiting)
  assert.ok(back.every(({ status }) => status === 'fulfilled'))
  const after = Number(/total_connections_received:(\d+)/.exec(await observer.info('stats'))?.[1])
  assert.ok(after - before < 5, `${after - before} connections`)
})

test('a refusal or a bug of the work is not taken for a fault of Redis', { skip }, async (t) => {
  const { port } = await startRedis(t)
  const { connection } = await open(t, { host: '127.0.0.1', port })
  await assert.rejects(
    connection.run(() => Promise.reject(new AppError('NOT_FOUND'))),
    refusedWith('NOT_FOUND'),
  )
  await assert.rejects(
    connection.run(() => Promise.reject(new TypeError('ours'))),
    TypeError,
  )
  await assert.rejects(
    connection.run((client) => client.incr('a').then(() => client.lpush('a', 'b'))),
    refusedWith('STORE_UNAVAILABLE'),
  )
})

test('what is wrong at start is said in words that help, and never with the password', {
  skip,
}, async (t) => {
  const closed = await freePort()
  const secured = await startRedis(t, { args: ['--requirepass', 'the right one'] })
  const cluster = await startRedis(t, { args: ['--cluster-enabled', 'yes'] })
  const plain = await startRedis(t)
  const admin = await (await startRedis(t)).client()
  await admin.call('ACL', 'SETUSER', 'reader', 'on', '>secret-of-reader', '~*', '+get')
  const acl = { port: admin.options.port, username: 'reader', password: 'secret-of-reader' }
  const host = '127.0.0.1'
  const faults: readonly [written: Record<string, unknown>, says: RegExp, hint: RegExp][] = [
    [{ host, port: closed }, /cannot be reached/, /is it running/],
    [
      { host: '/run/there-is-none.sock' },
      /there-is-none\.sock cannot be reached/,
      /session\.redis/,
    ],
    [{ host, port: secured.port }, /asks for a password/, /session\.redis\.password/],
    [
      { host, port: secured.port, password: 'the wrong one' },
      /refuses the password/,
      /session\.redis\.username/,
    ],
    [{ host, ...acl }, /does not let us/, /ACL/],
    [{ host, port: cluster.port }, /is a node of a cluster|cluster that is down/, /cluster/],
    [
      { host, port: plain.port, cluster: { nodes: [] } },
      /is no cluster/,
      /session\.redis\.cluster/,
    ],
    [
      { host, port: plain.port, high_availability: { sentinel_name: 'mymaster' } },
      /mymaster \(sentinels/,
      /./,
    ],
    [{ host, port: plain.port, tls: {} }, /broke the connection off|in time/, /./],
  ]
  for (const [written, says, hint] of faults) {
    await assert.rejects(open(t, { timeout: '300ms', ...written }), (error) => {
      assert.ok(error instanceof OperatorError, String(error))
      assert.match(error.message, says)
      assert.match(error.hint ?? '', hint)
      const all = JSON.stringify([error.message, error.hint, error.cause, String(error.cause)])
      assert.doesNotMatch(all, /the wrong one|the right one|secret-of-reader/)
      return true
    })
  }
})
