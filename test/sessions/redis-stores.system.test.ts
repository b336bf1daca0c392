import { before, type TestContext } from 'node:test'
import type { Clock } from '../../src/kernel/clock.ts'
import { linkedSessionConformance } from '../conformance/linked-sessions.ts'
import { sessionStoreConformance } from '../conformance/session-store.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { startRedis, withoutRedis } from '../support/redis.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import { startSentinels } from '../support/sentinel.ts'
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
}
