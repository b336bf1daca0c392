import { createHash, randomBytes } from 'node:crypto'
import type { RedisConnection } from '../../../storage/redis/index.ts'
import type { Reservations, ReservationTerms } from '../reservation.ts'

/**
 * One address is one sorted set: a member for each reservation, its score when it is due by the clock of Redis. A used one
 * has `!` in front.
 *
 * ARGV of all: what to do, the new id, how long to wait, count, life, spacing; then the ids that are held.
 * Answers the id and the milliseconds until it is due, or an empty id.
 */
const SCRIPT = `
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local what, id, wait = ARGV[1], ARGV[2], tonumber(ARGV[3])
local count, life, spacing = tonumber(ARGV[4]), tonumber(ARGV[5]), tonumber(ARGV[6])
local function text(number) return string.format('%.0f', number) end
redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', text(now - spacing))
local live
for i = 7, #ARGV do
  if what == 'reserve' and redis.call('ZSCORE', KEYS[1], '!' .. ARGV[i]) then return { '', 0 } end
  local due = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[i]) or nil)
  if due and now < due + life then
    if what == 'reserve' then live = live or { ARGV[i], math.max(0, due - now) }
    elseif due <= now then
      if what == 'use' then
        redis.call('ZREM', KEYS[1], ARGV[i])
        redis.call('ZADD', KEYS[1], text(due), '!' .. ARGV[i])
      end
      return { ARGV[i], 0 }
    end
  end
end
if live then return live end
if what ~= 'reserve' then return { '', 0 } end
if redis.call('ZCOUNT', KEYS[1], '(' .. text(now), '+inf') >= 2 * count then return { '', 0 } end
local due = now + wait
local last = redis.call('ZRANGE', KEYS[1], -1, -1, 'WITHSCORES')
if last[2] then due = math.max(due, tonumber(last[2])) end
local before = redis.call('ZRANGE', KEYS[1], -count, -count, 'WITHSCORES')
if before[2] then due = math.max(due, tonumber(before[2]) + spacing) end
redis.call('ZADD', KEYS[1], text(due), id)
redis.call('PEXPIRE', KEYS[1], text(due - now + spacing))
return { id, due - now }
`

/** Keeps them in Redis, for all instances that share it. */
export function createRedisReservations({
  name,
  terms: { count, life, spacing },
  redis,
}: {
  /** Of the limit: each has its own keys. */
  readonly name: string
  readonly terms: ReservationTerms
  readonly redis: Pick<RedisConnection, 'run' | 'prefix'>
}): Reservations {
  const keyOf = (address: string): string =>
    `${redis.prefix}reservations:${name}:${createHash('sha256').update(address).digest('base64url')}`
  const ask = async (
    what: 'due' | 'use' | 'reserve',
    address: string,
    held: readonly string[],
    { id = '', wait = 0 } = {},
  ) => {
    const args = [what, id, Math.ceil(wait), count, life, spacing, ...held]
    const found = await redis.run((client) => client.eval(SCRIPT, 1, keyOf(address), ...args))
    const [which, left] = Array.isArray(found) ? found : []
    return typeof which === 'string' && which !== '' ? { id: which, wait: Number(left) } : undefined
  }
  return {
    isDue: async (address, held) =>
      held.length > 0 && (await ask('due', address, held)) !== undefined,
    use: async (address, held) =>
      held.length > 0 && (await ask('use', address, held)) !== undefined,
    reserve: (address, held, wait) =>
      ask('reserve', address, held, { id: randomBytes(16).toString('base64url'), wait }),
  }
}
