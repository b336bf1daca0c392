import type { RedisConnection } from '../../../storage/redis/index.ts'
import type { OnceStore } from '../once-store.ts'

/** KEYS it. Not GETDEL: that is of Redis 6.2, and this works on all that have scripts. */
const TAKE = `local found = redis.call('GET', KEYS[1])
redis.call('DEL', KEYS[1])
return found`

/**
 * In Redis, for all instances: `P once:{key}`. Redis forgets what was not taken; what it gave up on and still happens late is
 * as if it had been put, or taken, by another instance.
 */
export function createRedisOnce(connection: Pick<RedisConnection, 'run' | 'prefix'>): OnceStore {
  const keyOf = (key: string) => `${connection.prefix}once:{${key}}`
  return {
    async put(key, sealed, expiresAt, now) {
      const ms = Math.max(1, expiresAt - now)
      const text = `${expiresAt} ${Buffer.from(sealed).toString('base64url')}`
      await connection.run((client) => client.set(keyOf(key), text, 'PX', ms))
    },
    async take(key, now) {
      const found = await connection.run((client) => client.eval(TAKE, 1, keyOf(key)))
      if (typeof found !== 'string') return undefined
      const [expiresAt = '', sealed = ''] = found.split(' ')
      return Number(expiresAt) <= now ? undefined : Buffer.from(sealed, 'base64url')
    },
  }
}
