import type { Storage } from '../../../storage/index.ts'
import type { OnceStore } from '../once-store.ts'

/** What was not taken goes with what is put later, so many at a time. */
const SWEEP = 20

/**
 * In the embedded database, beside the sessions.
 * @param storage migrated with this feature's migrations
 */
export function createSqliteOnce({ sqlite, write }: Pick<Storage, 'sqlite' | 'write'>): OnceStore {
  const insert = sqlite.prepare('insert into once (key, sealed, expires_at) values (?, ?, ?)')
  const take = sqlite.prepare('delete from once where key = ? returning sealed, expires_at')
  const sweep = sqlite.prepare(
    'delete from once where key in (select key from once where expires_at <= ? limit ?)',
  )
  return {
    put: (key, sealed, expiresAt, now) =>
      write(() => {
        sweep.run(now, SWEEP)
        insert.run(key, sealed, expiresAt)
      }),
    take: (key, now) =>
      write(() => {
        const row = take.get(key)
        const { sealed, expires_at: expiresAt } = row ?? {}
        // The table is STRICT; the types do not know.
        if (!(sealed instanceof Uint8Array) || typeof expiresAt !== 'number') return undefined
        return expiresAt <= now ? undefined : sealed
      }),
  }
}
