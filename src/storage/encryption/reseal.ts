/** Every sealed value of the database: whether its key opens it, and a new key for all of them at once. */
import type { Kysely } from 'kysely'
import type { SealedColumn } from '../../kernel/feature.ts'
import { OperatorError } from '../../kernel/operator-error.ts'
import type { Sealer } from '../../kernel/seal.ts'
import type { Storage } from '../storage.ts'
import { CHECK_COLUMN, placeIn, type Row } from './check-value.ts'

export interface ColumnReport {
  readonly table: string
  readonly column: string
  readonly values: number
  /** The keys of rows whose value does not open: damaged, or moved there from another row or column. */
  readonly broken: readonly (readonly string[])[]
}

/** Opens every sealed value; changes nothing. */
export async function checkSealed(
  storage: Storage,
  sealer: Sealer,
  columns: readonly SealedColumn[],
): Promise<readonly ColumnReport[]> {
  const db = await storage.db()
  const reports: ColumnReport[] = []
  for (const column of [CHECK_COLUMN, ...columns]) {
    const rows = await rowsOf(db, column)
    const broken = rows.filter((row) => openIn(row, column, sealer) === undefined)
    reports.push({
      table: column.table,
      column: column.column,
      values: rows.length,
      broken: broken.map((row) => column.key.map((name) => String(row[name]))),
    })
  }
  return reports
}

/**
 * Seals every value, the check value among them, with another key, in one transaction: all of them or none.
 * @returns how many values
 * @throws OperatorError when a value does not open with the old key; nothing is changed then
 */
export async function resealAll(
  storage: Storage,
  columns: readonly SealedColumn[],
  { from, to }: { readonly from: Sealer; readonly to: Sealer },
): Promise<number> {
  const { sql } = await import('kysely')
  return storage.transaction(
    async (db) => {
      let values = 0
      // The check value comes first: it is locked, so that a second key change waits and then finds the new key.
      for (const column of [CHECK_COLUMN, ...columns]) {
        // A server of another machine that still runs must not add a value of the old key in the meantime.
        if (storage.dialect === 'postgres')
          await sql`lock table ${sql.table(column.table)} in exclusive mode`.execute(db)
        for (const row of await rowsOf(db, column)) {
          const plain = openIn(row, column, from)
          if (plain === undefined) throw doesNotOpen(column, row)
          const value = to.seal(plain, placeIn(column, row))
          const isRow = column.key.map((name) => sql`${sql.ref(name)} = ${row[name]}`)
          await sql`update ${sql.table(column.table)} set ${sql.ref(column.column)} = ${value}
            where ${sql.join(isRow, sql` and `)}`.execute(db)
          values++
        }
      }
      return values
    },
    { locks: ['encryption'] },
  )
}

/**
 * Whether another program of Vestibule is connected to the database. An idle server may have no connection for a while:
 * what is missed here, the server itself notices (`watchKey`).
 */
export async function otherServers(storage: Storage): Promise<boolean> {
  if (storage.dialect === 'sqlite') return false
  const { sql } = await import('kysely')
  const { rows } = await sql`select pid from pg_stat_activity where datname = current_database()
    and application_name = 'vestibule' and pid <> pg_backend_pid()`.execute(await storage.db())
  return rows.length > 0
}

async function rowsOf(
  db: Kysely<unknown>,
  { table, column, key }: SealedColumn,
): Promise<readonly Row[]> {
  const { sql } = await import('kysely')
  const names = [...key, column].map((name) => sql.ref(name))
  const { rows } = await sql<Row>`select ${sql.join(names)} from ${sql.table(table)}
    where ${sql.ref(column)} is not null`.execute(db)
  return rows
}

function openIn(row: Row, column: SealedColumn, sealer: Sealer): Buffer | undefined {
  const value = row[column.column]
  return value instanceof Uint8Array ? sealer.open(value, placeIn(column, row)) : undefined
}

function doesNotOpen({ table, column, key }: SealedColumn, row: Row): OperatorError {
  const place = key.map((name) => `${name} ${JSON.stringify(String(row[name]))}`).join(', ')
  return new OperatorError(
    `the value in ${table}.${column} of ${place} does not open: it is damaged, or was moved there from another row`,
    'nothing was changed; `vestibule storage encryption check` lists all such values: remove them, or restore a backup',
  )
}
