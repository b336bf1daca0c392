import type { SQLOutputValue } from 'node:sqlite'
import type { EpochMs } from '../../../kernel/clock.ts'
import type { Storage } from '../../../storage/index.ts'
import type { SessionStore, StoredSession } from '../store.ts'

const COLUMNS = 'key, id, owner, sealed, expires_at'

/**
 * Sessions in the embedded database, by prepared statements: no query builder between a verify and its row. What was
 * acknowledged survives kill -9 and a power cut (storage/sqlite/open.ts).
 *
 * @param storage migrated with this feature's migrations
 */
export function createSqliteStore({ sqlite, write }: Storage): SessionStore {
  const get = sqlite.prepare(`select ${COLUMNS} from sessions where key = ?`)
  const findById = sqlite.prepare(`select ${COLUMNS} from sessions where id = ?`)
  const all = sqlite.prepare(`select ${COLUMNS} from sessions limit ?`)
  const owned = sqlite.prepare(`select ${COLUMNS} from sessions where owner = ? limit ?`)
  const insert = sqlite.prepare(`insert into sessions (${COLUMNS}) values (?, ?, ?, ?, ?)`)
  const update = sqlite.prepare(
    'update sessions set owner = ?, sealed = ?, expires_at = ? where key = ?',
  )
  const remove = sqlite.prepare('delete from sessions where key = ?')
  const removeOwned = sqlite.prepare('delete from sessions where owner = ?')
  const retire = sqlite.prepare(
    `insert or replace into replaced_sessions (${COLUMNS}) select key, id, owner, sealed, ? from sessions where key = ?`,
  )
  const replacedKey = sqlite.prepare(`select ${COLUMNS} from replaced_sessions where key = ?`)
  const replacedId = sqlite.prepare(`select ${COLUMNS} from replaced_sessions where id = ?`)
  const sweepReplaced = sqlite.prepare(
    'delete from replaced_sessions where key in (select key from replaced_sessions where expires_at <= ? limit ?)',
  )
  const sweep = sqlite.prepare(
    'delete from sessions where key in (select key from sessions where expires_at <= ? limit ?)',
  )
  const removeAll = (keys: readonly string[]): number =>
    keys.reduce((sum, key) => sum + Number(remove.run(key).changes), 0)

  return {
    async get(key) {
      return fromRow(get.get(key))
    },
    async getMany(keys) {
      return keys.map((key) => fromRow(get.get(key))).filter((row) => row !== undefined)
    },
    async findById(id) {
      return fromRow(findById.get(id))
    },
    async list(owners, limit) {
      const rows =
        owners === undefined
          ? all.all(limit)
          : owners.flatMap((owner) => owned.all(owner, limit)).slice(0, limit)
      return rows.map(fromRow).filter((row) => row !== undefined)
    },
    put: ({ key, id, owner, sealed, expiresAt }, replaces) =>
      write(() => {
        removeAll(replaces)
        insert.run(key, id, owner, sealed, expiresAt)
      }),
    replace: ({ key, id, owner, sealed, expiresAt }, replaced, { knownUntil = expiresAt } = {}) =>
      write(() => {
        retire.run(knownUntil, replaced)
        if (remove.run(replaced).changes === 0) return false
        insert.run(key, id, owner, sealed, expiresAt)
        return true
      }),
    async replaced(of) {
      const rows = 'id' in of ? [replacedId.get(of.id)] : of.keys.map((key) => replacedKey.get(key))
      return rows.map(fromRow).filter((row) => row !== undefined)
    },
    touch: (sessions) =>
      write(() =>
        sessions
          .filter(
            ({ key, owner, sealed, expiresAt }) =>
              update.run(owner, sealed, expiresAt, key).changes === 0,
          )
          .map(({ key }) => key),
      ),
    delete: (keys) => write(() => removeAll(keys)),
    deleteOwned: (owners) =>
      write(() => owners.reduce((sum, owner) => sum + Number(removeOwned.run(owner).changes), 0)),
    sweep: (now, limit) =>
      write(() => {
        const gone = Number(sweep.run(now, limit).changes)
        return Math.max(gone, Number(sweepReplaced.run(now, limit).changes))
      }),
  }
}

function fromRow(row: Record<string, SQLOutputValue> | undefined): StoredSession | undefined {
  if (row === undefined) return undefined
  const { key, id, owner, sealed, expires_at: expiresAt } = row
  // The table is STRICT: a row of other types cannot exist, but the types do not know.
  if (
    typeof key !== 'string' ||
    typeof id !== 'string' ||
    typeof owner !== 'string' ||
    !(sealed instanceof Uint8Array) ||
    typeof expiresAt !== 'number'
  )
    return undefined
  // Written as a time; a column has no brand.
  return { key, id, owner, sealed, expiresAt: expiresAt as EpochMs }
}
