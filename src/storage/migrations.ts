/** What migrating has in common on both databases: the table that remembers, and what is still to be done. */
import { OperatorError } from '../kernel/operator-error.ts'

/** Not `migrations`: Authelia's database has a table of that name. */
export const MIGRATIONS_TABLE = 'vestibule_migrations'
/** How long one process waits for another that is migrating. Milliseconds. */
export const MIGRATION_PATIENCE = 60_000
export const MIGRATION_PAUSE = 50

/**
 * What is still to be applied, in the order of the names. Decided name by name: a database that a migration with a higher
 * number has reached already still gets one that was added below it, so that a number which came late (from another
 * branch, or one that was left free) reaches every database. `npm run check` keeps the numbers without holes.
 * @param database how messages call it
 */
export function pending(
  known: readonly string[],
  applied: readonly string[],
  database: string,
): readonly string[] {
  const unknown = applied.find((name) => !known.includes(name))
  if (unknown !== undefined) {
    throw new OperatorError(
      `the database ${database} was written by a newer version of Vestibule (migration "${unknown}")`,
      'run that version, or restore a backup from before the upgrade',
    )
  }
  return known.filter((name) => !applied.includes(name))
}

export const lockedByOther = (database: string): OperatorError =>
  new OperatorError(
    `the database ${database} cannot be migrated: another process keeps it locked`,
    'stop that process, or wait until it is done',
  )

/** @throws OperatorError when the database has tables but not ours: it is another program's, and left as it is */
export function refuseForeign(tables: readonly string[], database: string, hint: string): void {
  const [foreign] = tables
  if (foreign === undefined || tables.includes(MIGRATIONS_TABLE)) return
  throw new OperatorError(
    `the database ${database} belongs to another program (it has a table "${foreign}")`,
    hint,
  )
}
