/** SQLite files of other programs, which are read and never changed. */
import { statSync } from 'node:fs'
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'

export type ForeignRow = Readonly<Record<string, SQLOutputValue>>

export interface ForeignDatabase {
  has(table: string): boolean
  columns(table: string): ReadonlySet<string>
  rows(sql: string): readonly ForeignRow[]
}

/** @throws OperatorError for a file that is missing or no database */
export function withForeignDatabase<T>(path: string, work: (database: ForeignDatabase) => T): T {
  let sqlite: DatabaseSync | undefined
  try {
    if (!statSync(path).isFile()) throw new OperatorError(`${path} is no file`)
    sqlite = new DatabaseSync(path, { readOnly: true, timeout: 5000 })
    const open = sqlite
    open.exec('pragma trusted_schema = off; begin')
    return work({
      has: (table) =>
        open.prepare("select 1 from sqlite_schema where type = 'table' and name = ?").get(table) !==
        undefined,
      columns: (table) =>
        new Set(
          open
            .prepare('select name from pragma_table_info(?)')
            .all(table)
            .map(({ name }) => String(name)),
        ),
      rows: (sql) => open.prepare(sql).all(),
    })
  } catch (error) {
    if (error instanceof OperatorError) throw error
    const code = systemCode(error)
    const why = error instanceof Error ? error.message : ''
    throw new OperatorError(
      code === '' || code === 'ERR_SQLITE_ERROR'
        ? `${path} cannot be read as a SQLite database: ${why}`
        : `${path} cannot be read (${code})`,
      undefined,
      { cause: error },
    )
  } finally {
    sqlite?.close()
  }
}
