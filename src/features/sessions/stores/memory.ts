import type { EpochMs } from '../../../kernel/clock.ts'
import type { SessionStore, StoredSession } from '../store.ts'

/** Sessions that end with the process. They are sealed all the same: what is not readable elsewhere is not here. */
export function createMemoryStore(): SessionStore {
  const rows = new Map<string, StoredSession>()

  const replaced = new Map<string, { readonly row: StoredSession; readonly until: EpochMs }>()

  const remove = (keys: Iterable<string>): number => {
    let count = 0
    for (const key of keys) if (rows.delete(key)) count++
    return count
  }
  const keysOf = (wanted: (row: StoredSession) => boolean): string[] =>
    [...rows.values()].filter(wanted).map(({ key }) => key)

  return {
    async get(key) {
      return rows.get(key)
    },
    async getMany(keys) {
      return keys.map((key) => rows.get(key)).filter((row) => row !== undefined)
    },
    async findById(id) {
      return [...rows.values()].find((row) => row.id === id)
    },
    async list(owners, limit) {
      return [...rows.values()]
        .filter(({ owner }) => owners === undefined || owners.includes(owner))
        .slice(0, limit)
    },
    async put(session, replaces) {
      remove(replaces)
      rows.set(session.key, session)
    },
    async replace(session, key, { knownUntil = session.expiresAt } = {}) {
      const row = rows.get(key)
      if (row === undefined) return false
      rows.delete(key)
      replaced.set(key, { row, until: knownUntil })
      rows.set(session.key, session)
      return true
    },
    async replaced(of) {
      return [...replaced.values()].flatMap(({ row }) =>
        ('id' in of ? row.id === of.id : of.keys.includes(row.key)) ? [row] : [],
      )
    },
    async touch(sessions) {
      const gone: string[] = []
      for (const session of sessions) {
        if (rows.has(session.key)) rows.set(session.key, session)
        else gone.push(session.key)
      }
      return gone
    },
    async delete(keys) {
      return remove(keys)
    },
    async deleteOwned(owners) {
      return remove(keysOf(({ owner }) => owners.includes(owner)))
    },
    async sweep(now, limit) {
      for (const [key, { until }] of replaced) if (until <= now) replaced.delete(key)
      return remove(keysOf(({ expiresAt }) => expiresAt <= now).slice(0, limit))
    },
  }
}
