import { createHash, randomBytes } from 'node:crypto'
import type { RedisConnection } from '../../../storage/redis/index.ts'
import type { FailureCounter } from '../failure-counter.ts'
import type { Windows } from '../limits.ts'
import { longest } from '../windows.ts'

/**
 * One key is one sorted set: a member for each that is counted, its score the time by the clock of Redis. One script does
 * all of it, so that every window holds, or none counts, also where several instances ask at the same time.
 *
 * ARGV: the new member, or nothing to look only; the longest period; then count and period of each window.
 * Answers how long to wait in milliseconds; 0: it was counted, or would be.
 */
const TAKE = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now - ARGV[2])
local wait = 0
for i = 3, #ARGV, 2 do
  local oldest = redis.call('ZRANGE', KEYS[1], -ARGV[i], -ARGV[i], 'WITHSCORES')
  if oldest[2] then wait = math.max(wait, oldest[2] + ARGV[i + 1] - now) end
end
if wait <= 0 and ARGV[1] ~= '' then
  redis.call('ZADD', KEYS[1], now, ARGV[1])
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return math.max(0, wait)
`

/** Counts in Redis, for all instances that share it. Redis forgets a key when it counts for nothing any more. */
export function createRedisCounter({
  name,
  windows,
  redis,
}: {
  /** Of the limit: each has its own keys. */
  readonly name: string
  readonly windows: Windows
  readonly redis: Pick<RedisConnection, 'run' | 'prefix'>
}): FailureCounter {
  const args = [longest(windows), ...windows.flatMap(({ count, period }) => [count, period])]
  // Hashed for its length, which a caller may not bound; it hides no address from who can try them all.
  const keyOf = (key: string): string =>
    `${redis.prefix}failures:${name}:${createHash('sha256').update(key).digest('base64url')}`
  const ask = async (key: string, member: string): Promise<number> =>
    Number(await redis.run((client) => client.eval(TAKE, 1, keyOf(key), member, ...args)))

  return {
    async take(key) {
      const receipt = randomBytes(9).toString('base64url')
      const wait = await ask(key, receipt)
      return wait > 0 ? { ok: false, wait } : { ok: true, receipt }
    },
    async giveBack(key, receipt) {
      await redis.run((client) => client.zrem(keyOf(key), receipt))
    },
    wait: (key) => ask(key, ''),
  }
}
