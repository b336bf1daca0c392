import type { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import type { Migration } from '../../kernel/feature.ts'
import {
  lockedByOther,
  MIGRATION_PATIENCE,
  MIGRATION_PAUSE,
  MIGRATIONS_TABLE,
  pending,
  refuseForeign,
} from '../migrations.ts'
import { isBusy } from './error.ts'

export interface MigrateOptions {
  readonly sqlite: DatabaseSync
  /** For messages. */
  readonly path: string
  /** By name, `NNNN_what`; they run in the order of their names. */
  readonly migrations: Readonly<Record<string, Migration>>
  readonly clock: Clock
  /** Called only when something must be migrated: importing Kysely costs as much as half the start. */
  readonly db: () => Promise<Kysely<unknown>>
}

/**
 * Brings the schema up to date: every migration in a transaction of its own, in order, under SQLite's write lock, so
 * that of two processes starting at once one migrates and the other waits.
 *
 * Not Kysely's Migrator: its SQLite lock is a no-op, it runs without a transaction there, and it has to be imported
 * to learn that nothing is to be done.
 *
 * @returns the names that were applied by this call
 * @throws OperatorError when the database is newer than this program, or stays locked
 */
export async function migrate(options: MigrateOptions): Promise<readonly string[]> {
  const { sqlite, clock } = options
  const names = Object.keys(options.migrations).sort()
  const done: string[] = []
  if (pending(names, appliedIn(options), options.path).length === 0) return done
  const db = await options.db()
  const deadline = clock.monotonic() + MIGRATION_PATIENCE
  for (;;) {
    if (!(await lock(sqlite, clock, deadline))) throw lockedByOther(options.path)
    try {
      // Read again under the lock: another process may have been faster.
      const [next] = pending(names, appliedIn(options), options.path)
      if (next === undefined) {
        sqlite.exec('rollback')
        return done
      }
      await apply(options, db, next)
      sqlite.exec('commit')
      done.push(next)
    } catch (error) {
      if (sqlite.isTransaction) sqlite.exec('rollback')
      throw error
    }
  }
}

async function lock(sqlite: DatabaseSync, clock: Clock, deadline: number): Promise<boolean> {
  for (;;) {
    try {
      sqlite.exec('begin immediate')
      return true
    } catch (error) {
      if (!isBusy(error)) throw error
      if (clock.monotonic() >= deadline) return false
      await sleep(MIGRATION_PAUSE)
    }
  }
}

async function apply(options: MigrateOptions, db: Kysely<unknown>, name: string): Promise<void> {
  const { sqlite, clock } = options
  sqlite.exec(
    `create table if not exists ${MIGRATIONS_TABLE} (name text primary key, applied_at integer not null) strict, without rowid`,
  )
  const { sqliteColumns } = await import('./dialect.ts')
  await options.migrations[name]?.up(db, sqliteColumns)
  sqlite
    .prepare(`insert into ${MIGRATIONS_TABLE} (name, applied_at) values (?, ?)`)
    .run(name, clock.now())
}

const appliedIn = ({ sqlite }: Pick<MigrateOptions, 'sqlite'>): readonly string[] => [
  ...appliedAt(sqlite).keys(),
]

/** When each migration was applied, in the order of their names. */
export function appliedAt(sqlite: DatabaseSync): ReadonlyMap<string, number> {
  if (!tablesIn(sqlite).includes(MIGRATIONS_TABLE)) return new Map()
  return new Map(
    sqlite
      .prepare(`select name, applied_at from ${MIGRATIONS_TABLE} order by name`)
      .all()
      .map((row) => [String(row['name']), Number(row['applied_at'])]),
  )
}

/** @throws OperatorError when the file is another program's: it is left as it is */
export const refuseForeignFile = (sqlite: DatabaseSync, path: string): void =>
  refuseForeign(tablesIn(sqlite), path, 'give storage.local.path a file of its own')

/** @throws OperatorError when the file was written by a newer version */
export function refuseNewer(sqlite: DatabaseSync, path: string, names: readonly string[]): void {
  pending(names, appliedIn({ sqlite }), path)
}

function tablesIn(sqlite: DatabaseSync): readonly string[] {
  return sqlite
    .prepare("select name from sqlite_schema where type = 'table' and name not like 'sqlite_%'")
    .all()
    .map(({ name }) => String(name))
}
