import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createDialer, dismiss } from '../../src/storage/redis/dial.ts'
import manifest from '../../src/storage/redis/manifest.ts'
import { until } from '../support/pace.ts'
import { withoutRedis } from '../support/redis.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'

test('a cluster that is given up while its map is read is asked no more', {
  skip: withoutRedis,
}, async (t) => {
  const cluster = await startRedisCluster(t)
  const config = manifest.config['session.redis'].parse(cluster.config)
  assert.ok(config)
  const client = await createDialer(config, undefined).dial(10_000)
  assert.ok('nodes' in client)
  const read = client.refreshSlotsCache.bind(client)
  const dismissed = new Promise<void>((resolve) => {
    client.refreshSlotsCache = (done) => {
      read(done)
      dismiss(client)
      resolve()
    }
  })
  await dismissed
  const timerOf = (): unknown => Reflect.get(client, 'slotsTimer')
  // What is under way ends, and begins one more.
  await until('the next reading waits', () => timerOf() !== null)
  const next = timerOf()
  await until('it was its turn', () => Reflect.get(Object(next), '_destroyed') === true)
  for (let turns = 0; turns < 20; turns++) await new Promise((done) => setImmediate(done))
  assert.equal(timerOf(), next, 'no further one follows')
})
