import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { z } from 'zod'
import { createRedisCounter } from '../../src/features/throttle/counters/redis.ts'
import type { Windows } from '../../src/features/throttle/limits.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { openRedis } from '../../src/storage/redis/index.ts'
import manifest from '../../src/storage/redis/manifest.ts'
import { failureCounterConformance } from '../conformance/failure-counter.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { type RedisServer, startRedis, withoutRedis } from '../support/redis.ts'

const log = { info() {}, warn() {} }
const WINDOWS = [{ count: 2, period: 60_000 }]

async function link(t: Pick<TestContext, 'after'>, port: number, prefix: string) {
  const config = z.parse(manifest.config['session.redis'], {
    host: '127.0.0.1',
    port,
    key_prefix: prefix,
  })
  assert.ok(config !== undefined)
  const redis = await openRedis({ config, log, clock: systemClock, patience: 10_000 })
  t.after(() => redis.close())
  return redis
}

suite('Redis', { skip: withoutRedis }, () => {
  const cleanup = suiteCleanup()
  let server: Promise<RedisServer> | undefined
  const port = async () => {
    server ??= startRedis(cleanup)
    return (await server).port
  }
  let count = 0

  const twoNodes = async (t: TestContext, windows: Windows) => {
    const prefix = `t${++count}:`
    const nodes = await Promise.all(
      [1, 2].map(async () =>
        createRedisCounter({ name: 'test', windows, redis: await link(t, await port(), prefix) }),
      ),
    )
    return { nodes, pass: (ms: number) => sleep(ms) }
  }
  failureCounterConformance('Redis, two nodes', twoNodes, { scale: 5 })

  test('limits of other names are counted apart, and what is over leaves nothing behind', async (t) => {
    const redis = await link(t, await port(), 'own:')
    const windows = [{ count: 1, period: 60_000 }]
    const [one, two] = ['one', 'two'].map((name) => createRedisCounter({ name, windows, redis }))
    assert.equal((await one?.take('a'))?.ok, true)
    assert.equal((await two?.take('a'))?.ok, true)
    const client = await (await startedServer()).client()
    const keys = await client.keys('own:*')
    assert.equal(keys.length, 2)
    // Redis forgets them by itself.
    for (const key of keys) {
      const left = await client.pttl(key)
      assert.ok(left > 0 && left <= 60_000, `${left}`)
    }
  })

  const startedServer = async () => {
    await port()
    assert.ok(server !== undefined)
    return server
  }

  test('while Redis is away nothing is counted and nobody gets a yes', async (t) => {
    const own = await startRedis(t)
    const counter = createRedisCounter({
      name: 'test',
      windows: WINDOWS,
      redis: await link(t, own.port, 'x:'),
    })
    assert.equal((await counter.take('a')).ok, true)
    await own.kill()
    const unavailable = (error: unknown) =>
      error instanceof AppError && error.code === 'STORE_UNAVAILABLE'
    await assert.rejects(counter.take('a'), unavailable)
    await assert.rejects(counter.wait('a'), unavailable)
    await assert.rejects(counter.giveBack('a', 'x'), unavailable)
  })
})
