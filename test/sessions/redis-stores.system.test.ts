import assert from 'node:assert/strict'
import { before, type TestContext, test } from 'node:test'
import type { Clock, EpochMs } from '../../src/kernel/clock.ts'
import { linkedSessionConformance } from '../conformance/linked-sessions.ts'
import { raisedSessionConformance } from '../conformance/raised-sessions.ts'
import { sessionStoreConformance } from '../conformance/session-store.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { FakeClock } from '../support/clock.ts'
import { until } from '../support/pace.ts'
import { startRedis, withoutRedis } from '../support/redis.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import { startSentinels } from '../support/sentinel.ts'
import { openHouse, valueIn } from './house.ts'
import { openRedisStore } from './redis-house.ts'

const skip = withoutRedis
const t = suiteCleanup()
const configs: Record<string, Readonly<Record<string, unknown>>> = {}

before(async () => {
  if (skip !== undefined) return
  const [server, sentinels, cluster] = await Promise.all([
    startRedis(t),
    startSentinels(t),
    startRedisCluster(t),
  ])
  configs['redis'] = { host: '127.0.0.1', port: server.port }
  configs['sentinel'] = { ...sentinels.config, replica_acks: 'require' }
  configs['cluster'] = cluster.config
})

for (const name of ['redis', 'sentinel', 'cluster']) {
  const open = async (t: TestContext, clock: Clock) =>
    (await openRedisStore(t, configs[name] ?? {}, { clock })).store
  sessionStoreConformance(name, open, { forgets: true, skip })
  linkedSessionConformance(name, open, { skip })
  raisedSessionConformance(name, open, { skip })

  test(`a row that no index knows is not replaced once its owner's have ended (${name})`, {
    skip,
  }, async (t) => {
    const { store, connection, prefix } = await openRedisStore(t, configs[name] ?? {})
    const row = (what: string) => ({
      key: `key-${what}`,
      id: `id-${what}`,
      owner: 'owner',
      sealed: Buffer.from(what),
      expiresAt: (Date.now() + 60_000) as EpochMs, // a time of the tests
    })
    await store.put(row('a'), [])
    await connection.run((client) => client.del(`${prefix}o:owner`))
    await store.deleteOwned(['owner'])
    assert.equal(await store.replace(row('b'), 'key-a'), false)
    assert.equal(await store.get('key-b'), undefined)
    assert.deepEqual(await store.list(['owner'], 10), [])
  })

  /** Two nodes of one server, with the same users. */
  const twoNodes = async (t: TestContext) => {
    const clock = new FakeClock()
    const here = await openRedisStore(t, configs[name] ?? {}, { clock })
    const there = await openRedisStore(t, configs[name] ?? {}, { clock, prefix: here.prefix })
    const a = openHouse(t, { store: here.store, clock })
    const b = openHouse(t, { store: there.store, clock, users: a.users })
    await until('changes are told', () => there.connection.trust.until !== 0)
    return { a, b }
  }

  test(`a session that is raised at one node has another cookie at all (${name})`, {
    skip,
  }, async (t) => {
    const { a, b } = await twoNodes(t)
    const old = await a.signIn('alice')
    assert.equal(await b.who(old.value), 'alice')
    const raised = await a.sessions.raise({ key: old.key, factor: 'totp' })
    assert.ok(raised)
    await until('the old one is refused', async () => (await b.who(old.value)) === undefined)
    const found = await b.sessions.identify([valueIn(raised.cookie)], b.domain)
    assert.deepEqual(found?.session.factors, raised.session.factors)
  })

  test(`of raises at two nodes one succeeds, and none when its user is signed out (${name})`, {
    skip,
  }, async (t) => {
    const { a, b } = await twoNodes(t)
    for (let i = 0; i < 20; i++) {
      const old = await a.signIn('alice')
      const raise = ({ sessions }: typeof a) => sessions.raise({ key: old.key, factor: 'totp' })
      const raised = await Promise.all([raise(a), raise(b), raise(a)])
      assert.equal(raised.filter((one) => one !== undefined).length, 1)
      const [listed, ...more] = await b.sessions.list('alice')
      assert.ok(listed && more.length === 0)
      await Promise.all([
        a.sessions.raise({ key: listed.key, factor: 'webauthn' }),
        b.sessions.revokeUser('alice'),
      ])
      assert.deepEqual(await a.sessions.list('alice'), [])
    }
  })
}
