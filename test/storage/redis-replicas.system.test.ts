import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../src/kernel/errors.ts'
import { openHouse } from '../sessions/house.ts'
import { openRedisStore } from '../sessions/redis-house.ts'
import { FakeClock } from '../support/clock.ts'
import { fastest, settlesWithin } from '../support/pace.ts'
import { startRedis, withoutRedis } from '../support/redis.ts'
import { startSentinels } from '../support/sentinel.ts'

const skip = withoutRedis
/** How long Redis is asked to wait for a replica, in milliseconds. */
const WAIT = 500

test('signing in and out waits for a replica as replica_acks says', { skip }, async (t) => {
  const { config, servers } = await startSentinels(t)
  const [, replica] = servers
  assert.ok(replica)
  const open = async (replica_acks: string) => {
    const clock = new FakeClock()
    const { store, said } = await openRedisStore(t, { ...config, replica_acks }, { clock })
    return { house: openHouse(t, { store, clock }), said }
  }
  const off = await open('off')
  const warn = await open('warn')
  const required = await open('require')
  const started = await required.house.signIn('alice')
  await warn.house.signIn('alice')
  assert.deepEqual([...warn.said, ...required.said], [])

  // It is connected and says nothing.
  replica.pause()
  const refused = async (work: Promise<unknown>) =>
    assert.rejects(work, (error) => error instanceof AppError && error.code === 'STORE_UNAVAILABLE')
  await refused(required.house.signIn('bob'))
  await refused(required.house.sessions.revoke(started.key))
  await refused(required.house.sessions.revokeUser('alice'))
  await off.house.signIn('bob')
  const began = performance.now()
  const { value } = await warn.house.signIn('bob')
  const waited = performance.now() - began
  assert.equal(await warn.house.who(value), 'bob')
  const again = await settlesWithin(waited / 2, () => warn.house.signIn('carol'))
  assert.ok(again, 'the second does not wait again')
  assert.deepEqual(warn.said, [
    'Redis has no replica that follows: a failover now may undo what is written',
  ])
  // Reads never wait for a replica.
  assert.equal(await off.house.who('A'.repeat(43)), undefined)

  replica.resume()
  for (let tries = 0; ; tries++) {
    try {
      const again = await required.house.signIn('dave')
      assert.equal(await required.house.who(again.value), 'dave')
      break
    } catch (error) {
      assert.ok(tries < 50, String(error))
      await sleep(100)
    }
  }
  assert.equal(await required.house.who(started.value), undefined, 'asked to end, it stays ended')
})

test('without any replica `warn` waits for none, and `require` refuses', { skip }, async (t) => {
  const { port } = await startRedis(t)
  const open = async (replica_acks: string) => {
    const clock = new FakeClock()
    const redis = { host: '127.0.0.1', port, replica_acks }
    const { store, said } = await openRedisStore(t, redis, { clock })
    return { house: openHouse(t, { store, clock }), said }
  }
  const warn = await open('warn')
  const took: number[] = []
  for (let i = 0; i < 5; i++) {
    const began = performance.now()
    await warn.house.signIn('alice')
    took.push(performance.now() - began)
  }
  assert.ok(fastest(took) < WAIT / 2, `${took}`)
  assert.deepEqual(warn.said, [])
  const required = await open('require')
  await assert.rejects(required.house.signIn('alice'))
})
