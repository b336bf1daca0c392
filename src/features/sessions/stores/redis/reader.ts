import type { RedisClient, RedisConnection } from '../../../../storage/redis/index.ts'
import type { StoredSession } from '../../store.ts'
import { type Keys, parseLive } from './keys.ts'
import { unpackRow } from './row.ts'

/** Lists are for people: they may take longer than a request that is verified. Milliseconds. */
export const PATIENT = { patience: 2000 } as const
/** Sessions in one round trip. */
export const PAGE = 500

export type Reader = ReturnType<typeof createReader>

export function createReader({
  connection,
  keys,
}: {
  readonly connection: RedisConnection
  readonly keys: Keys
}) {
  async function readEra(client: RedisClient, owner: string): Promise<string> {
    return (await client.get(keys.era(owner))) ?? '0'
  }

  /** @param eras those that were read already */
  async function read(
    client: RedisClient,
    key: string,
    eras: Map<string, Promise<string>> = new Map(),
  ): Promise<StoredSession | undefined> {
    const [live, packed] = await client.mgetBuffer(keys.live(key), keys.row(key))
    if (!live || !packed) return undefined
    const { era, owner } = parseLive(live)
    let current = eras.get(owner)
    if (current === undefined) {
      current = readEra(client, owner)
      eras.set(owner, current)
    }
    return (await current) === era ? unpackRow(key, packed) : undefined
  }

  async function getMany(wanted: readonly string[], limit: number): Promise<StoredSession[]> {
    const rows: StoredSession[] = []
    const eras = new Map<string, Promise<string>>()
    for (let at = 0; at < wanted.length && rows.length < limit; at += PAGE) {
      const page = wanted.slice(at, at + PAGE)
      const found = await connection.run(
        (client) => Promise.all(page.map((key) => read(client, key, eras))),
        PATIENT,
      )
      rows.push(...found.filter((row) => row !== undefined))
    }
    return rows.slice(0, limit)
  }

  async function ownedKeys(owner: string): Promise<readonly string[]> {
    return connection.run((client) => client.zrange(keys.owned(owner), '0', '-1'), PATIENT)
  }

  async function listOwned(owner: string): Promise<readonly StoredSession[]> {
    const indexed = await ownedKeys(owner)
    const rows = (await getMany(indexed, indexed.length)).filter((row) => row.owner === owner)
    if (rows.length < indexed.length) {
      // A live key is there before its index is: what is indexed and not there is over.
      const kept = new Set(rows.map(({ key }) => key))
      const over = indexed.filter((key) => !kept.has(key))
      await connection.run((client) => client.zrem(keys.owned(owner), ...over))
    }
    return rows
  }

  return {
    readEra,
    getMany,
    ownedKeys,
    get: (key: string) => connection.run((client) => read(client, key)),
    findById: (id: string) =>
      connection.run(async (client) => {
        const key = await client.get(keys.id(id))
        const row = key === null ? undefined : await read(client, key)
        return row?.id === id ? row : undefined
      }),
    replaced: (of: { readonly keys: readonly string[] } | { readonly id: string }) =>
      connection.run(async (client) => {
        const key = 'id' in of ? await client.get(keys.id(of.id)) : undefined
        const wanted = 'id' in of ? (key ? [key] : []) : of.keys
        const rows = await Promise.all(
          wanted.map(async (one) => {
            const packed = await client.getBuffer(keys.replaced(one))
            return packed === null ? undefined : unpackRow(one, packed)
          }),
        )
        return rows.filter((row) => row !== undefined && (!('id' in of) || row.id === of.id))
      }, PATIENT) as Promise<readonly StoredSession[]>,
    async list(
      owners: readonly string[] | undefined,
      limit: number,
    ): Promise<readonly StoredSession[]> {
      if (owners === undefined) return getMany(await allKeys(connection, keys, limit), limit)
      const rows: StoredSession[] = []
      for (const owner of owners) rows.push(...(await listOwned(owner)))
      return rows.slice(0, limit)
    },
  }
}

/** The keys of all sessions, a page of live keys at a time. */
async function allKeys(
  connection: RedisConnection,
  { livePrefix, keyIn }: Keys,
  limit: number,
): Promise<readonly string[]> {
  const found = new Set<string>()
  const servers = await connection.run(async (client) =>
    'nodes' in client ? client.nodes('master') : [client],
  )
  for (const server of servers) {
    let cursor = '0'
    do {
      const [next, page] = await connection.run(
        () => server.scan(cursor, 'MATCH', `${livePrefix}*`, 'COUNT', 1000),
        PATIENT,
      )
      for (const name of page) found.add(keyIn(name.slice(livePrefix.length)))
      cursor = next
    } while (cursor !== '0' && found.size < limit)
  }
  return [...found].slice(0, limit)
}
