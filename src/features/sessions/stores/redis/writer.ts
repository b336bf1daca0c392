import type { Clock } from '../../../../kernel/clock.ts'
import type { RedisClient, RedisConnection } from '../../../../storage/redis/index.ts'
import type { SessionStore, StoredSession } from '../../store.ts'
import { formatLive, type Keys, msUntil } from './keys.ts'
import { PATIENT, type Reader } from './reader.ts'
import { type Remover, WRITING } from './remover.ts'
import { packRow } from './row.ts'

/** Every so many rounds of `touch` a session's places in the indexes are written again, whether they were lost or not. */
const HEAL_EVERY = 8

/** KEYS live key, row; ARGV what the live key holds, its ms, row, its ms. */
const PUT = `redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])`

/** KEYS live key, row; ARGV what the live key holds, row, its ms. Moves a session to another owner, if it is still there. */
const MOVE = `if redis.call('EXISTS', KEYS[1], KEYS[2]) < 2 then return 0 end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then redis.call('SET', KEYS[1], ARGV[1], 'KEEPTTL') end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1`

/** KEYS owned; ARGV key, its end, ms until then, now. What is over goes, and the whole when its last one is. */
const INDEX = `redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[4])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end`

interface WriterOptions {
  readonly connection: RedisConnection
  readonly keys: Keys
  readonly clock: Clock
  readonly moves: boolean
  readonly reader: Reader
  readonly remover: Remover
}

export function createWriter(
  options: WriterOptions,
): Pick<SessionStore, 'put' | 'replace' | 'touch'> {
  const index = createIndex(options)
  return { ...createPut(options, index), touch: createTouch(options, index) }
}

/** Writes a session's places in the indexes. @param ms until its absolute end */
type Index = (client: RedisClient, session: StoredSession, ms: number) => Promise<void>

const createIndex =
  ({ keys, clock }: WriterOptions): Index =>
  async (client, { key, id, owner }, ms) => {
    const now = clock.now()
    await Promise.all([
      client.set(keys.id(id), key, 'PX', ms),
      client.eval(INDEX, 1, keys.owned(owner), key, `${now + ms}`, `${ms}`, `${now}`),
    ])
  }

function createPut(
  { connection, keys, clock, reader, remover }: WriterOptions,
  index: Index,
): Pick<SessionStore, 'put' | 'replace'> {
  const readEra = (owner: string) =>
    connection.run((client) => reader.readEra(client, owner), WRITING)

  /** Stores one and does what belongs to that; if either fails, it is gone again. */
  async function add<T>(
    session: StoredSession,
    endsAt = session.expiresAt,
    also: () => Promise<T>,
  ): Promise<T> {
    const { key, owner, expiresAt } = session
    // Before anything else: what ends the owner's sessions from here on ends this one too.
    const live = formatLive({ owner, era: await readEra(owner) })
    const ms = msUntil(clock, endsAt)
    try {
      await connection.commit([
        ...['EVAL', PUT, 2, keys.live(key), keys.row(key), live, ms],
        ...[packRow(session), msUntil(clock, expiresAt)],
      ] as const)
      await connection.run((client) => index(client, session, ms), WRITING)
      return await also()
    } catch (error) {
      // Its cookie is not given out. If this fails too, it is forgotten in its time.
      await connection.run((client) => client.del(keys.live(key), keys.row(key))).catch(() => {})
      throw error
    }
  }

  return {
    async put(session, replaces, endsAt) {
      await add(session, endsAt, () => remover.removeAll(replaces))
    },

    replace: (session, key, { endsAt, knownUntil = session.expiresAt } = {}) =>
      add(session, endsAt, async () => {
        // After the new one is there: what ends the owner's sessions finds it in the index from here on, and what ended them
        // before has counted up the era of the old one.
        const old = await remover.retire(key, msUntil(clock, knownUntil))
        if (old !== undefined && (await readEra(old.owner)) === old.era) return true
        await remover.remove(session.key)
        return false
      }),
  }
}

function createTouch(
  { connection, keys, clock, moves, reader }: WriterOptions,
  index: Index,
): SessionStore['touch'] {
  let round = 0

  async function touchOne(client: RedisClient, session: StoredSession): Promise<boolean> {
    const { key, owner, expiresAt } = session
    const ms = msUntil(clock, expiresAt)
    const row = packRow(session)
    if (!moves) return (await client.set(keys.row(key), row, 'PX', ms, 'XX')) !== null
    const live = formatLive({ owner, era: await reader.readEra(client, owner) })
    return (await client.eval(MOVE, 2, keys.live(key), keys.row(key), live, row, `${ms}`)) === 1
  }

  async function heal(client: RedisClient, session: StoredSession): Promise<void> {
    const ms = await client.pttl(keys.live(session.key))
    if (ms > 0) await index(client, session, ms)
  }

  return async (sessions) => {
    const heals = round++ % HEAL_EVERY
    const gone: string[] = []
    await connection.run(
      (client) =>
        Promise.all(
          sessions.map(async (session, i) => {
            if (!(await touchOne(client, session))) gone.push(session.key)
            else if (moves || i % HEAL_EVERY === heals) await heal(client, session)
          }),
        ),
      PATIENT,
    )
    return gone
  }
}
