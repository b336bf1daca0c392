import type { Clock, EpochMs } from '../../../kernel/clock.ts'
import type { RedisClient, RedisLink } from '../../../storage/redis/index.ts'
import type { ChangeListener, SessionChanges, SessionStore, StoredSession } from '../store.ts'
import { packRow, unpackRow } from './redis-row.ts'

/** Lists are for people: they may take longer than a request that is verified. Milliseconds. */
const PATIENT = { patience: 2000 } as const
/** So may signing in and out: a busy moment is no reason to refuse them. */
const WRITING = { patience: 1000 } as const
const PAGE = 500
/** Every so many rounds of `touch` a session's places in the indexes are written again, whether they were lost or not. */
const HEAL_EVERY = 8

/** KEYS mark, row; ARGV mark, its ms, row, its ms. */
const PUT = `redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
redis.call('SET', KEYS[2], ARGV[3], 'PX', ARGV[4])`

/** KEYS mark, row. Returns the mark and the public id (packRow), for the indexes. */
const DELETE = `local mark, row = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
redis.call('DEL', KEYS[1], KEYS[2])
return {mark or '', row and string.sub(row, 11, 10 + string.byte(row, 10)) or ''}`

/** KEYS mark, row; ARGV mark, row, its ms. Moves a session to another owner, if it is still there. */
const MOVE = `if redis.call('EXISTS', KEYS[1], KEYS[2]) < 2 then return 0 end
if redis.call('GET', KEYS[1]) ~= ARGV[1] then redis.call('SET', KEYS[1], ARGV[1], 'KEEPTTL') end
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1`

/** KEYS owned; ARGV key, its end, ms until then, now. What is over goes, and the whole when its last one is. */
const INDEX = `redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', ARGV[4])
redis.call('ZADD', KEYS[1], ARGV[2], ARGV[1])
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[3]) then redis.call('PEXPIRE', KEYS[1], ARGV[3]) end`

/**
 * Sessions in Redis, shared by all instances. Five kinds of keys, `P` being the link's prefix:
 *
 *   P s:{key}    the mark: it is there as long as the session may live, holds the owner's token and era, and is written
 *                once. Ending a session deletes it, and every instance hears of that
 *   P t:{key}    the row, sealed. Written anew with each last use, which nobody needs to hear of
 *   P e:owner    the owner's era, a counter. Ending all sessions of a user is counting it up: sessions of an earlier era
 *                are none, found or not, stored before or after
 *   P o:owner    the keys of an owner's sessions, for lists
 *   P i:id       the key by public id
 *
 * The mark and the row share a hash slot, and change in one step. The others are spread over a cluster; `o` and `i` are
 * indexes that may lack something after a failover: they decide nothing, and are written again with the last use.
 *
 * Redis' clock decides when something is forgotten, the record whether it counts.
 *
 * @param moves whether rows may change their owner's token: several secrets are in use
 */
export function createRedisStore({
  link,
  clock,
  moves,
}: {
  readonly link: RedisLink
  readonly clock: Clock
  readonly moves: boolean
}): SessionStore {
  const { prefix } = link
  const markOf = (key: string) => `${prefix}s:{${key}}`
  const rowOf = (key: string) => `${prefix}t:{${key}}`
  const eraOf = (owner: string) => `${prefix}e:${owner}`
  const ownedOf = (owner: string) => `${prefix}o:${owner}`
  const idOf = (id: string) => `${prefix}i:${id}`
  const msUntil = (time: EpochMs) => Math.max(1, Math.ceil(time - clock.now()))
  let round = 0

  async function readEra(client: RedisClient, owner: string): Promise<string> {
    return (await client.get(eraOf(owner))) ?? '0'
  }

  /** @param eras those that were read already */
  async function read(
    client: RedisClient,
    key: string,
    eras: Map<string, Promise<string>> = new Map(),
  ): Promise<StoredSession | undefined> {
    const [mark, packed] = await client.mgetBuffer(markOf(key), rowOf(key))
    if (!mark || !packed) return undefined
    const { era, owner } = parseMark(mark)
    let current = eras.get(owner)
    if (current === undefined) {
      current = readEra(client, owner)
      eras.set(owner, current)
    }
    if ((await current) !== era) return undefined
    return unpackRow(key, packed)
  }

  /** @param ms until its absolute end */
  async function index(client: RedisClient, { key, id, owner }: StoredSession, ms: number) {
    const now = clock.now()
    await Promise.all([
      client.set(idOf(id), key, 'PX', ms),
      client.eval(INDEX, 1, ownedOf(owner), key, `${now + ms}`, `${ms}`, `${now}`),
    ])
  }

  async function heal(client: RedisClient, session: StoredSession): Promise<void> {
    const ms = await client.pttl(markOf(session.key))
    if (ms > 0) await index(client, session, ms)
  }

  /** @returns what its mark said; undefined when there was none. Of any number of calls one gets it */
  async function remove(key: string): Promise<Mark | undefined> {
    const was = await link.commit(['EVAL', DELETE, 2, markOf(key), rowOf(key)])
    const [mark, id] = Array.isArray(was) ? was.map(String) : []
    if (!mark) return undefined
    const parsed = parseMark(mark)
    await link.run(
      (client) =>
        Promise.all([
          client.zrem(ownedOf(parsed.owner), key),
          id ? client.del(idOf(id)) : undefined,
        ]),
      WRITING,
    )
    return parsed
  }

  async function removeAll(keys: readonly string[]): Promise<number> {
    let count = 0
    for (let at = 0; at < keys.length; at += PAGE) {
      const page = await Promise.all(keys.slice(at, at + PAGE).map(remove))
      for (const mark of page) if (mark !== undefined) count++
    }
    return count
  }

  async function readAll(keys: readonly string[], limit: number): Promise<StoredSession[]> {
    const rows: StoredSession[] = []
    const eras = new Map<string, Promise<string>>()
    for (let at = 0; at < keys.length && rows.length < limit; at += PAGE) {
      const page = keys.slice(at, at + PAGE)
      const found = await link.run(
        (client) => Promise.all(page.map((key) => read(client, key, eras))),
        PATIENT,
      )
      rows.push(...found.filter((row) => row !== undefined))
    }
    return rows.slice(0, limit)
  }

  async function ownedKeys(owner: string): Promise<readonly string[]> {
    return link.run((client) => client.zrange(ownedOf(owner), '0', '-1'), PATIENT)
  }

  /** Takes keys out of an owner's index that are no sessions of theirs any longer. A mark is there before its index is. */
  async function unlist(owner: string, keys: readonly string[], rows: readonly StoredSession[]) {
    const kept = new Set(rows.map(({ key }) => key))
    const over = keys.filter((key) => !kept.has(key))
    await link.run((client) => client.zrem(ownedOf(owner), ...over))
  }

  /** Every mark there is, a page at a time. */
  async function allKeys(limit: number): Promise<readonly string[]> {
    const start = markOf('').slice(0, -1)
    const keys = new Set<string>()
    const servers = await link.run(async (client) =>
      'nodes' in client ? client.nodes('master') : [client],
    )
    for (const server of servers) {
      let cursor = '0'
      do {
        const [next, page] = await link.run(
          () => server.scan(cursor, 'MATCH', `${start}*`, 'COUNT', 1000),
          PATIENT,
        )
        for (const key of page) keys.add(key.slice(start.length, -1))
        cursor = next
      } while (cursor !== '0' && keys.size < limit)
    }
    return [...keys].slice(0, limit)
  }

  /** Stores one and does what belongs to that; if either fails, it is gone again. */
  async function add<T>(
    session: StoredSession,
    endsAt: EpochMs = session.expiresAt,
    also: () => Promise<T>,
  ): Promise<T> {
    const { key, owner, expiresAt } = session
    // Before anything else: who ends the owner's sessions from here on ends this one too.
    const era = await link.run((client) => readEra(client, owner), WRITING)
    const ends = msUntil(endsAt)
    try {
      await link.commit([
        ...['EVAL', PUT, 2, markOf(key), rowOf(key), makeMark(owner, era), ends],
        ...[packRow(session), msUntil(expiresAt)],
      ] as const)
      await link.run((client) => index(client, session, ends), WRITING)
      return await also()
    } catch (error) {
      // Nobody will get its cookie. If this fails too, it is forgotten in its time.
      await link.run((client) => client.del(markOf(key), rowOf(key))).catch(() => {})
      throw error
    }
  }

  async function touchOne(client: RedisClient, session: StoredSession): Promise<boolean> {
    const { key, owner, expiresAt } = session
    const ms = msUntil(expiresAt)
    if (!moves) return (await client.set(rowOf(key), packRow(session), 'PX', ms, 'XX')) !== null
    const mark = makeMark(owner, await readEra(client, owner))
    const done = await client.eval(
      MOVE,
      2,
      markOf(key),
      rowOf(key),
      mark,
      packRow(session),
      `${ms}`,
    )
    return done === 1
  }

  return {
    changes: changesOf(link),

    get: (key) => link.run((client) => read(client, key)),

    getMany: (keys) => readAll(keys, keys.length),

    async findById(id) {
      return link.run(async (client) => {
        const key = await client.get(idOf(id))
        const row = key === null ? undefined : await read(client, key)
        return row?.id === id ? row : undefined
      })
    },

    async list(owners, limit) {
      if (owners === undefined) return readAll(await allKeys(limit), limit)
      const rows: StoredSession[] = []
      for (const owner of owners) {
        const keys = await ownedKeys(owner)
        const mine = (await readAll(keys, keys.length)).filter((row) => row.owner === owner)
        rows.push(...mine)
        if (mine.length < keys.length) await unlist(owner, keys, mine)
      }
      return rows.slice(0, limit)
    },

    async put(session, replaces, endsAt) {
      await add(session, endsAt, async () => {
        await removeAll(replaces)
      })
    },

    replace: (session, key, endsAt) =>
      add(session, endsAt, async () => {
        // After the new one is there: what ends the owner's sessions finds it in the index from here on, and what ended them
        // before has counted up the era of the old one.
        const old = await remove(key)
        if (old !== undefined) {
          const era = await link.run((client) => readEra(client, old.owner), WRITING)
          if (era === old.era) return true
        }
        await remove(session.key)
        return false
      }),

    async touch(sessions) {
      const heals = round++ % HEAL_EVERY
      const gone: string[] = []
      await link.run(
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
    },

    delete: removeAll,

    async deleteOwned(owners) {
      await Promise.all(owners.map((owner) => link.commit(['INCR', eraOf(owner)])))
      const keys = await Promise.all(owners.map(ownedKeys))
      return removeAll([...new Set(keys.flat())])
    },

    // Redis forgets by itself.
    sweep: async () => 0,
  }
}

function changesOf(link: RedisLink): SessionChanges {
  const listeners: ChangeListener[] = []
  const begin = (): void => {
    link.watch(`${link.prefix}s:`, {
      changed(marks) {
        const keys = marks.map((mark) => mark.slice(1, -1))
        for (const { ended } of listeners) ended(keys)
      },
      lost() {
        for (const { lost } of listeners) lost()
      },
    })
    link.watch(`${link.prefix}e:`, {
      changed(names) {
        const owners = new Set(names)
        for (const { ownersEnded } of listeners) ownersEnded(owners)
      },
      lost() {},
    })
  }
  return {
    trust: link.trust,
    onChange(listener) {
      if (listeners.push(listener) === 1) begin()
    },
  }
}

interface Mark {
  readonly era: string
  readonly owner: string
}

const makeMark = (owner: string, era: string): string => `${era} ${owner}`

function parseMark(mark: string | Buffer): Mark {
  const text = mark.toString()
  const space = text.indexOf(' ')
  return { era: text.slice(0, space), owner: text.slice(space + 1) }
}
