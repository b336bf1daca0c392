import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { createAudit } from '../../src/features/audit/index.ts'
import manifest, { type AuditConfig } from '../../src/features/audit/manifest.ts'
import { createTableSink } from '../../src/features/audit/sinks/index.ts'
import { createAuditStore } from '../../src/features/audit/store.ts'
import { sweep } from '../../src/features/audit/sweeper.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { openStorage } from '../../src/storage/index.ts'
import { event } from '../conformance/audit-store.ts'
import { FakeClock } from '../support/clock.ts'
import { until } from '../support/pace.ts'

const DAY = 86_400_000

function collector() {
  const lines: Record<string, unknown>[] = []
  const take = (...[fields, msg]: unknown[]): void =>
    void lines.push({ ...(fields as object), msg }) // ours are called with fields and a sentence
  return { lines, log: { info: take, warn: take, error: take } }
}

async function start(t: TestContext, config: Partial<AuditConfig> = {}) {
  const { migrations } = manifest
  const storage = await openStorage({ path: ':memory:', migrations, log: { info() {} } })
  const clock = new FakeClock()
  const { lines, log } = collector()
  const audit = createAudit({
    config: { ...manifest.config.audit.parse({}), ...config },
    storage,
    outbox: undefined,
    clock,
    log,
  })
  t.after(async () => {
    await audit.close()
    await storage.close()
  })
  return { audit, clock, lines, storage }
}

const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

const signIn = () => ({
  ...{ user: 'john', actor: 'user:john' as const, address: '192.0.2.1', userAgent: FIREFOX },
  requestId: 'abc-1',
  details: { method: 'password', remembered: false, new_device: true },
})

suite('the audit trail', () => {
  test('holds what was recorded a moment ago, with who, where from and with what', async (t) => {
    const { audit, clock, lines } = await start(t)
    audit.record('login.succeeded', signIn())
    clock.advance(1000)
    audit.record('session.ended', { user: 'john', actor: 'user:john' })
    const [ended, signedIn] = (await audit.list({ user: 'john', limit: 9 })) ?? []
    assert.equal(ended?.name, 'session.ended')
    const { id, time, ...rest } = signedIn ?? event(0)
    assert.equal(time, Date.UTC(2026, 0, 15, 12))
    assert.deepEqual(rest, {
      name: 'login.succeeded',
      ...{ user: 'john', actor: 'user:john', address: '192.0.2.1', userAgent: FIREFOX },
      requestId: 'abc-1',
      details: { method: 'password', remembered: false, new_device: true },
    })
    const line = lines.find(({ event }) => event === 'login.succeeded')
    assert.deepEqual(line, {
      msg: 'audit',
      event: 'login.succeeded',
      ...{ user: 'john', actor: 'user:john', user_agent: FIREFOX, request_id: 'abc-1' },
      ...{ method: 'password', remembered: false, new_device: true, remote_ip: '192.0.2.1' },
    })
  })

  test('is not flooded by attempts that cost nothing', async (t) => {
    const { audit, clock } = await start(t)
    const limited = (address: string) =>
      audit.record('login.limited', { user: '', actor: 'unknown', address })
    for (let i = 0; i < 1000; i++) limited(`192.0.2.${i % 250}`)
    limited('198.51.100.1')
    assert.equal((await audit.list({ limit: 99 }))?.length, 2)
    clock.advance(61_000)
    limited('192.0.2.1')
    assert.equal((await audit.list({ limit: 99 }))?.length, 3)
  })

  test('keeps nothing in the database when it is told so, and still writes the log', async (t) => {
    const { audit, lines } = await start(t, { retention: 0 })
    audit.record('login.succeeded', signIn())
    assert.equal(await audit.list({ limit: 9 }), undefined)
    assert.deepEqual(
      lines.map(({ event }) => event),
      ['login.succeeded'],
    )
  })

  test('writes no line when it is told so', async (t) => {
    const { audit, lines } = await start(t, { log: false })
    audit.record('session.ended', { user: 'john', actor: 'user:john' })
    assert.equal((await audit.list({ limit: 9 }))?.length, 1)
    assert.deepEqual(lines, [])
  })
})

suite('events that are over', () => {
  test('are swept after their time, and what is too much goes before', async (t) => {
    const { audit, clock, storage } = await start(t)
    const store = createAuditStore(storage)
    const options = { store, clock, retention: 90 * DAY, most: 1000 }
    audit.record('login.succeeded', signIn())
    await audit.list({ limit: 1 })
    clock.advance(90 * DAY - 1)
    assert.equal(await sweep(options), 0)
    clock.advance(2)
    assert.equal(await sweep(options), 1)
    for (let i = 0; i < 700; i++)
      audit.record('login.failed', { user: i % 2 === 0 ? '' : 'john', actor: 'unknown' })
    await audit.list({ limit: 1 })
    assert.equal(await sweep({ ...options, most: 100 }), 600)
    const left = (await audit.list({ limit: 1000 })) ?? []
    assert.deepEqual([left.length, left.filter(({ user }) => user === '').length], [100, 0])
  })
})

suite('a database that fails', () => {
  test('gets everything when it is back, in order and once, and nobody waited', async (t) => {
    const { lines, log } = collector()
    let down = true
    const got: string[] = []
    const sink = createTableSink({
      log,
      store: {
        add: async (events) => {
          if (down) throw new AppError('STORE_UNAVAILABLE')
          got.push(...events.map(({ id }) => id))
        },
      },
    })
    t.after(() => sink.close())
    const events = Array.from({ length: 450 }, (_, i) => event(i))
    for (const one of events.slice(0, 300)) sink.take(one)
    await assert.rejects(sink.flush(), /unavailable/)
    for (const one of events.slice(300)) sink.take(one)
    await assert.rejects(sink.flush(), /unavailable/)
    down = false
    await sink.flush()
    assert.deepEqual(
      got,
      events.map(({ id }) => id),
    )
    assert.deepEqual(lines, [])
  })

  test('that takes some of them never is not asked for ever: the rest goes on', async (t) => {
    const { lines, log } = collector()
    let kept = 0
    const sink = createTableSink({
      log,
      store: {
        add: async (events) => {
          if (events.some(({ user }) => user === 'poison')) throw new TypeError('no such column')
          kept += events.length
        },
      },
    })
    t.after(() => sink.close())
    sink.take(event(0, 'login.failed', { user: 'poison' }))
    await sink.flush()
    sink.take(event(1))
    await sink.flush()
    assert.deepEqual([kept, lines.length], [1, 1])
  })

  test('is tried again by itself, and is said once', async (t) => {
    const { lines, log } = collector()
    let tries = 0
    const sink = createTableSink({
      log,
      store: {
        add: async () => {
          if (++tries === 1) throw new AppError('STORE_UNAVAILABLE')
        },
      },
    })
    t.after(() => sink.close())
    sink.take(event(0))
    await until('a second try', () => tries >= 2)
    assert.equal(tries, 2)
    assert.equal(lines.length, 1)
  })

  test('is not waited for without bound: what does not fit is counted', async (t) => {
    const { lines, log } = collector()
    let down = true
    let kept = 0
    const sink = createTableSink({
      log,
      store: {
        add: async (events) => {
          if (down) throw new AppError('STORE_UNAVAILABLE')
          kept += events.length
        },
      },
    })
    t.after(() => sink.close())
    const one = event(0)
    for (let i = 0; i < 10_005; i++) sink.take(one)
    await assert.rejects(sink.flush())
    down = false
    await sink.flush()
    assert.equal(kept, 10_000)
    assert.ok(lines.some(({ count }) => count === 5))
  })
})
