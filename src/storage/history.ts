/** Which migrations the databases have, without changing any. */
import type { Migration } from '../kernel/feature.ts'
import { historyOfFile } from './sqlite/look.ts'
import type { StorageOptions } from './storage.ts'

export interface MigrationState {
  readonly database: 'sqlite' | 'postgres'
  readonly name: string
  /** Milliseconds since 1970; undefined: still to be applied. */
  readonly appliedAt: number | undefined
  /** False: a newer version applied it. */
  readonly known: boolean
}

/** The embedded file's first, each database's in the order of their names. @throws OperatorError */
export async function migrationHistory(
  options: StorageOptions,
): Promise<readonly MigrationState[]> {
  const { path, migrations, postgres: config, trusted, log } = options
  const embedded = merged('sqlite', Object.keys(migrations), historyOfFile(path))
  if (config === undefined) return embedded
  const { postgresHistory } = await import('./postgres/open.ts')
  const applied = await postgresHistory({ config, trusted, log })
  return [...embedded, ...merged('postgres', Object.keys(shared(migrations)), applied)]
}

/** Those that change the configured database where that is not the embedded file. */
export const shared = (
  migrations: Readonly<Record<string, Migration>>,
): Readonly<Record<string, Migration>> =>
  Object.fromEntries(Object.entries(migrations).filter(([, { embedded = false }]) => !embedded))

function merged(
  database: MigrationState['database'],
  known: readonly string[],
  applied: ReadonlyMap<string, number>,
): readonly MigrationState[] {
  return [...new Set([...known, ...applied.keys()])].sort().map((name) => ({
    database,
    name,
    appliedAt: applied.get(name),
    known: known.includes(name),
  }))
}
