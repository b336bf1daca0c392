import type { RedisConnection } from '../../../../storage/redis/index.ts'
import { type Keys, type LiveValue, parseLive } from './keys.ts'
import { PAGE, type Reader } from './reader.ts'

/** Signing in and out may take longer than a verify: a busy moment is no reason to refuse them. Milliseconds. */
export const WRITING = { patience: 1000 } as const

/** KEYS live key, row. Returns what the live key held and the public id (packRow), for the indexes. */
const DELETE = `local live, row = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
redis.call('DEL', KEYS[1], KEYS[2])
return {live or '', row and string.sub(row, 11, 10 + string.byte(row, 10)) or ''}`

/** KEYS live key, row, replaced row; ARGV ms for which that one is kept. As DELETE. */
const RETIRE = `local live, row = redis.call('GET', KEYS[1]), redis.call('GET', KEYS[2])
redis.call('DEL', KEYS[1], KEYS[2])
if live and row then redis.call('SET', KEYS[3], row, 'PX', ARGV[1]) end
return {live or '', row and string.sub(row, 11, 10 + string.byte(row, 10)) or ''}`

export type Remover = ReturnType<typeof createRemover>

export function createRemover({
  connection,
  keys,
  reader,
}: {
  readonly connection: RedisConnection
  readonly keys: Keys
  readonly reader: Reader
}) {
  /** @returns what its live key held; undefined when there was none. Of any number of calls one gets it */
  async function remove(key: string): Promise<LiveValue | undefined> {
    const was = await connection.commit(['EVAL', DELETE, 2, keys.live(key), keys.row(key)])
    const [live, id] = Array.isArray(was) ? was.map(String) : []
    if (!live) return undefined
    const parsed = parseLive(live)
    await connection.run(
      (client) =>
        Promise.all([
          client.zrem(keys.owned(parsed.owner), key),
          id ? client.del(keys.id(id)) : undefined,
        ]),
      WRITING,
    )
    return parsed
  }

  /** As `remove`; what was there is known as replaced for so many milliseconds. */
  async function retire(key: string, ms: number): Promise<LiveValue | undefined> {
    const names = [keys.live(key), keys.row(key), keys.replaced(key)] as const
    const was = await connection.commit(['EVAL', RETIRE, 3, ...names, ms])
    const [live, id] = Array.isArray(was) ? was.map(String) : []
    if (!live) return undefined
    const parsed = parseLive(live)
    await connection.run(
      (client) =>
        Promise.all([
          client.zrem(keys.owned(parsed.owner), key),
          id ? client.set(keys.id(id), key, 'PX', ms) : undefined,
        ]),
      WRITING,
    )
    return parsed
  }

  /** @returns how many there were */
  async function removeAll(wanted: readonly string[]): Promise<number> {
    let count = 0
    for (let at = 0; at < wanted.length; at += PAGE) {
      const page = await Promise.all(wanted.slice(at, at + PAGE).map(remove))
      for (const live of page) if (live !== undefined) count++
    }
    return count
  }

  return {
    remove,
    retire,
    removeAll,
    /** @returns how many there were */
    async removeOwned(owners: readonly string[]): Promise<number> {
      await Promise.all(owners.map((owner) => connection.commit(['INCR', keys.era(owner)])))
      const owned = await Promise.all(owners.map(reader.ownedKeys))
      return removeAll([...new Set(owned.flat())])
    },
  }
}
