import assert from 'node:assert/strict'
import { suite, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { createThrottle } from '../../src/features/throttle/index.ts'
import { termsOf } from '../../src/features/throttle/reservation.ts'
import { createMemoryReservations } from '../../src/features/throttle/reservations/memory.ts'
import { createRedisReservations } from '../../src/features/throttle/reservations/redis.ts'
import { migrations } from '../../src/features.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { openStorage } from '../../src/storage/index.ts'
import { openRedis } from '../../src/storage/redis/index.ts'
import manifest from '../../src/storage/redis/manifest.ts'
import { reservationsConformance } from '../conformance/reservations.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { FakeClock } from '../support/clock.ts'
import { heldMemory } from '../support/memory.ts'
import { type RedisServer, startRedis, withoutRedis } from '../support/redis.ts'

const log = { info() {}, warn() {}, error() {} }
const MINUTE = 60_000
const LIMITS = [
  { count: 1, period: 1000 },
  { count: 5, period: MINUTE },
  { count: 20, period: 60 * MINUTE },
]

reservationsConformance('memory', async (_t, terms) => {
  const clock = new FakeClock()
  return {
    nodes: [createMemoryReservations({ terms, clock })],
    pass: async (ms) => clock.advance(ms),
  }
})

suite('Redis', { skip: withoutRedis }, () => {
  const cleanup = suiteCleanup()
  let server: Promise<RedisServer> | undefined
  let count = 0
  reservationsConformance('Redis, two nodes', async (t, terms) => {
    server ??= startRedis(cleanup)
    const { port } = await server
    const prefix = `r${++count}:`
    const node = async () => {
      const options = { host: '127.0.0.1', port, key_prefix: prefix }
      const config = z.parse(manifest.config['session.redis'], options)
      assert.ok(config !== undefined)
      const redis = await openRedis({ config, log, clock: systemClock, patience: 10_000 })
      t.after(() => redis.close())
      return createRedisReservations({ name: 'test', terms, redis })
    }
    return { nodes: [await node(), await node()], pass: (ms) => sleep(ms) }
  })
})

test('by default five new browsers of one address have an attempt in any hour, and each lasts ten minutes', () => {
  const { count, life, spacing } = termsOf(LIMITS)
  assert.deepEqual([count, life, spacing], [5, 10 * MINUTE, 70 * MINUTE])
  assert.deepEqual(termsOf([{ count: 1, period: 1000 }]), {
    count: 1,
    life: MINUTE,
    spacing: MINUTE + 1000,
  })
})

test('a flood of addresses takes no more memory than its bound', async () => {
  const clock = new FakeClock()
  const reservations = createMemoryReservations({ terms: termsOf(LIMITS), clock })
  const before = heldMemory()
  for (let i = 0; i < 30_000; i++) await reservations.reserve(`198.51.${i >> 8}.${i & 255}`, [], 9)
  assert.ok(heldMemory() - before < 10_000_000)
})

suite('the longest wait that a new browser was shown', () => {
  /** A home whose address others fill whenever it has room. */
  async function home(t: { after(work: () => Promise<void>): void }) {
    const clock = new FakeClock()
    const storage = await openStorage({ path: ':memory:', migrations, log })
    const throttle = await createThrottle({
      redis: undefined,
      limits: LIMITS,
      regulation: { modes: ['user'], max_retries: 0, find_time: 1, ban_time: 1 },
      storage,
      users: { costliest: () => undefined, onInvalidated() {} },
      passwords: { measure: async () => 1, span: () => 1 },
      clock,
      log,
    })
    t.after(async () => {
      await throttle.close()
      await storage.close()
    })
    const domain = { name: 's', sameSite: 'Lax' } as never
    /** One attempt. Answers whether the password was looked at; else how long to wait, and the cookie. */
    const attempt = async (cookies: readonly string[] | undefined, right = false) => {
      try {
        const guard = await throttle.attempt({
          address: '192.0.2.1',
          devices: [],
          reservations: cookies,
        })
        await guard.admit('john')
        await guard.settle(right)
        return { looked: true } as const
      } catch (error) {
        if (!(error instanceof AppError) || error.code !== 'SIGN_IN_LIMITED') throw error
        const cookie = throttle.reservationCookie(error, domain)
        const value = /^s_reservation=([^;]*)/.exec(cookie ?? '')?.[1]
        return { looked: false, wait: error.retryAfter ?? 0, value, cookie } as const
      }
    }
    /** A program that is no browser tries each second, with a password that is wrong. */
    const pass = async (seconds: number) => {
      for (let i = 0; i < seconds; i++) {
        clock.advance(1000)
        await attempt(undefined)
      }
    }
    await pass(30)
    return { clock, attempt, pass }
  }

  test('is true although others fill the limit of its address again and again: it has one attempt', async (t) => {
    const { attempt, pass } = await home(t)
    const told = await attempt([])
    assert.ok(!told.looked && told.value !== undefined)
    assert.match(
      told.cookie ?? '',
      /^s_reservation=[\w-]{22}; Max-Age=\d+; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
    )
    await pass(told.wait)
    assert.equal((await attempt([])).looked, false, 'who kept no cookie waits again')
    assert.equal((await attempt([told.value], true)).looked, true)
    const after = await attempt([told.value])
    assert.equal(after.looked, false, 'one attempt, right or wrong')
    assert.equal(after.looked || after.value, undefined)
  })

  test('grows for no browser that asks again before it has waited', async (t) => {
    const { attempt, pass } = await home(t)
    const told = await attempt([])
    assert.ok(!told.looked)
    for (let left = told.wait; left > 10; left -= 10) {
      const again = await attempt([told.value ?? ''])
      assert.ok(!again.looked && again.value === told.value && again.wait <= left)
      await pass(10)
    }
  })

  test('is true for each of a family that comes at once, in order', async (t) => {
    const { attempt, pass } = await home(t)
    const family = []
    for (let i = 0; i < 8; i++) family.push(await attempt([]))
    let passed = 0
    for (const told of family) {
      assert.ok(!told.looked && told.value !== undefined)
      await pass(Math.max(0, told.wait - passed))
      passed = Math.max(passed, told.wait)
      assert.equal((await attempt([told.value], true)).looked, true)
    }
  })

  test('opens no more than a quarter on top of the longest window to who drops cookies', async (t) => {
    const { clock, attempt } = await home(t)
    const held: string[] = []
    const looked: number[] = []
    for (let second = 0; second < 3 * 3600; second += 10) {
      clock.advance(10_000)
      for (const cookies of [[], ...held.map((value) => [value])]) {
        const answer = await attempt(cookies)
        if (answer.looked) looked.push(second)
        else if (answer.value !== undefined && !held.includes(answer.value)) held.push(answer.value)
      }
    }
    const most = Math.max(
      ...looked.map((from) => looked.filter((at) => at >= from && at < from + 3600).length),
    )
    assert.ok(most <= 25, `${most} in an hour`)
    assert.ok(looked.length > 60, 'and some of them were on top')
  })

  test('is promised to no program that keeps no cookies', async (t) => {
    const { attempt } = await home(t)
    const told = await attempt(undefined)
    assert.ok(!told.looked && told.value === undefined && told.cookie === undefined)
  })
})
