import { Kysely, PostgresDialect, sql } from 'kysely'
import type { Columns } from '../../kernel/feature.ts'
import type { Pool } from './pool.ts'

export const postgresColumns: Columns = {
  dialect: 'postgres',
  // Another order than SQLite's is slower, and changes with the system's libraries under an index.
  text: sql`text collate "C"`,
  integer: 'bigint',
  bytes: 'bytea',
  table: (db, name) => db.schema.createTable(name),
}

/** Kysely over the pool. Imported on first use only. */
export const createKysely = (pool: Pool): Kysely<unknown> =>
  new Kysely({ dialect: new PostgresDialect({ pool }) })

/**
 * Waits until no other transaction holds this name; it is held until this one ends.
 * @param db a transaction
 */
export async function takeLock(db: Kysely<unknown>, name: string): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(db)
}

/** As `takeLock`, without waiting. */
export async function tryLock(db: Kysely<unknown>, name: string): Promise<boolean> {
  const { rows } = await sql<{
    taken: boolean
  }>`select pg_try_advisory_xact_lock(hashtextextended(${name}, 0)) as taken`.execute(db)
  return rows[0]?.taken === true
}
