import { setTimeout as sleep } from 'node:timers/promises'
import type { BaseLogger } from 'pino'
import type { Clock } from '../../kernel/clock.ts'
import type { Migration } from '../../kernel/feature.ts'
import { OperatorError } from '../../kernel/operator-error.ts'
import {
  lockedByOther,
  MIGRATION_PATIENCE,
  MIGRATION_PAUSE,
  MIGRATIONS_TABLE,
  pending,
  refuseForeign,
} from '../migrations.ts'
import type { Pool } from './pool.ts'

export interface MigrateOptions {
  /** For what is asked first: with the time limits of every day. */
  readonly pool: Pool
  /** For the migrations themselves; closed by its maker. */
  readonly patient: () => Pool
  readonly schema: string
  /** For messages. */
  readonly name: string
  readonly migrations: Readonly<Record<string, Migration>>
  readonly log: Pick<BaseLogger, 'info'>
  readonly clock: Clock
}

/**
 * Brings the schema up to date: every migration in a transaction of its own, in order, one process at a time.
 *
 * @throws OperatorError when the schema is missing, is another program's, is newer than this program, or stays locked
 */
export async function migrate(options: MigrateOptions): Promise<void> {
  const { pool, schema, name, migrations, log, clock } = options
  const tables = await tablesIn(pool, schema)
  if (tables === undefined)
    throw new OperatorError(
      `${name} has no schema "${schema}"`,
      'make it (CREATE SCHEMA … AUTHORIZATION …), or see storage.postgres.schema',
    )
  refuseForeign(tables, name, 'give storage.postgres.schema a schema of its own')
  const names = Object.keys(migrations).sort()
  const applied = tables.includes(MIGRATIONS_TABLE)
    ? await pool.query(`select name from ${MIGRATIONS_TABLE} order by name`)
    : []
  if (pending(names, namesOf(applied), name).length === 0) return
  const { createKysely, postgresColumns, tryLock } = await import('./dialect.ts')
  const { sql } = await import('kysely')
  const db = createKysely(options.patient())
  const deadline = clock.monotonic() + MIGRATION_PATIENCE
  /** @returns what was applied; `locked`, `done` */
  const step = () =>
    db.transaction().execute(async (tx) => {
      if (!(await tryLock(tx, `vestibule:${schema}:migrations`)))
        return { state: 'locked' } as const
      const table = sql.table(MIGRATIONS_TABLE)
      await sql`create table if not exists ${table} (name text collate "C" primary key, applied_at bigint not null)`.execute(
        tx,
      )
      // Read under the lock: another process may have been faster.
      const { rows } = await sql<{ name: string }>`select name from ${table} order by name`.execute(
        tx,
      )
      const [next] = pending(names, namesOf(rows), name)
      if (next === undefined) return { state: 'done' } as const
      await migrations[next]?.up(tx, postgresColumns)
      await sql`insert into ${table} (name, applied_at) values (${next}, ${clock.now()})`.execute(
        tx,
      )
      return { state: 'applied', next } as const
    })
  for (;;) {
    const { state, next } = await step()
    if (state === 'done') return
    if (state === 'applied')
      log.info({ store: 'postgres', migration: next }, 'the database was migrated')
    else if (clock.monotonic() >= deadline) throw lockedByOther(name)
    else await sleep(MIGRATION_PAUSE)
  }
}

const namesOf = (rows: readonly Readonly<Record<string, unknown>>[]): string[] =>
  rows.map(({ name }) => String(name))

/** Tables of the schema, but for those of extensions; undefined: there is no such schema. */
async function tablesIn(pool: Pool, schema: string): Promise<readonly string[] | undefined> {
  const found = await pool.query('select 1 from pg_namespace where nspname = $1', [schema])
  if (found.length === 0) return undefined
  const rows = await pool.query(
    `select c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relkind in ('r', 'p') and not exists (
       select 1 from pg_depend d
       where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')
     order by 1`,
    [schema],
  )
  return namesOf(rows)
}
