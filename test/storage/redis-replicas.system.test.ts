import assert from 'node:assert/strict'
import { test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { AppError } from '../../src/kernel/errors.ts'
import { openHouse } from '../sessions/house.ts'
import { openRedisStore } from '../sessions/redis-house.ts'
import { FakeClock } from '../support/clock.ts'
import { fastest, settlesWithin, until } from '../support/pace.ts'
import { startRedis, withoutRedis } from '../support/redis.ts'
import { startSentinels } from '../support/sentinel.ts'

const skip = withoutRedis
/** How long Redis is asked to wait for a replica, in milliseconds. */
const WAIT = 500

const isUnavailable = (error: unknown): boolean =>
  error instanceof AppError && error.code === 'STORE_UNAVAILABLE'

/** What is no failure of a replica: a Redis that a starved machine keeps from answering in time is asked again. */
async function answered<T>(work: () => Promise<T>): Promise<T> {
  for (let tries = 0; ; tries++) {
    try {
      return await work()
    } catch (error) {
      if (!isUnavailable(error) || tries === 50) throw error
      await sleep(100)
    }
  }
}

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
  const required = await open('require')
  const started = await answered(() => required.house.signIn('alice'))
  assert.deepEqual(required.said, [])
  await until('a replica that follows is nothing to warn of', async () => {
    const warn = await open('warn')
    await answered(() => warn.house.signIn('alice'))
    return warn.said.length === 0
  })

  // It is connected and says nothing.
  replica.pause()
  const refused = async (work: Promise<unknown>) => assert.rejects(work, isUnavailable)
  await refused(required.house.signIn('bob'))
  await refused(required.house.sessions.revoke(started.key))
  await refused(required.house.sessions.revokeUser('alice'))
  await answered(() => off.house.signIn('bob'))
  // One that has not waited yet, each time.
  await until('the second does not wait again', () =>
    answered(async () => {
      const warn = await open('warn')
      const began = performance.now()
      const { value } = await warn.house.signIn('bob')
      const waited = performance.now() - began
      assert.ok(waited >= WAIT * 0.9, `waited ${waited} ms`)
      assert.equal(await warn.house.who(value), 'bob')
      const again = await settlesWithin(waited / 2, () => warn.house.signIn('carol'))
      assert.deepEqual(warn.said, [
        'Redis has no replica that follows: a failover now may undo what is written',
      ])
      return again
    }),
  )
  // Reads never wait for a replica.
  assert.equal(await off.house.who('A'.repeat(43)), undefined)

  replica.resume()
  const again = await answered(() => required.house.signIn('dave'))
  assert.equal(await required.house.who(again.value), 'dave')
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
    await answered(() => warn.house.signIn('alice'))
    took.push(performance.now() - began)
  }
  assert.ok(fastest(took) < WAIT / 2, `${took}`)
  assert.deepEqual(warn.said, [])
  const required = await open('require')
  await assert.rejects(required.house.signIn('alice'))
})
