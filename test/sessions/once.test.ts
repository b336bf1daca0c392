import {
  createMemoryOnce,
  createRedisOnce,
  createSqliteOnce,
} from '../../src/features/sessions/index.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { openRedis } from '../../src/storage/redis/index.ts'
import redisManifest from '../../src/storage/redis/manifest.ts'
import { onceStoreConformance } from '../conformance/once-store.ts'
import { startRedis, withoutRedis } from '../support/redis.ts'
import { openSqliteStore } from './sqlite-house.ts'

onceStoreConformance('memory', async () => createMemoryOnce())
onceStoreConformance('sqlite', async (t) => createSqliteOnce((await openSqliteStore(t)).storage))
onceStoreConformance(
  'redis',
  async (t) => {
    const { port } = await startRedis(t)
    const config = redisManifest.config['session.redis'].parse({ host: '127.0.0.1', port })
    if (config === undefined) throw new TypeError('no configuration of Redis')
    const connection = await openRedis({
      config,
      log: { info() {}, warn() {} },
      clock: systemClock,
    })
    t.after(() => connection.close())
    return createRedisOnce(connection)
  },
  withoutRedis,
)
