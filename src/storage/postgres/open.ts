import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import { MIGRATIONS_TABLE } from '../migrations.ts'
import type { PostgresConfig } from '../postgres-config.ts'
import type { Storage, StorageOptions } from '../storage.ts'
import { explain, isStarting } from './error.ts'
import { CHANNEL, createListener, payloadOf } from './listener.ts'
import { migrate } from './migrate.ts'
import { createPool, nameOf, type Pool } from './pool.ts'

/** How long a server may take to start up, once it answers at all. Milliseconds. */
const STARTING_PATIENCE = 30_000
/** A migration may rewrite a table. Milliseconds. */
const MIGRATION_LIMIT = 600_000

export interface PostgresOptions extends Pick<StorageOptions, 'migrations' | 'log' | 'trusted'> {
  readonly config: PostgresConfig
  readonly clock: Clock
}

/** @throws OperatorError */
export async function openPostgres(
  options: PostgresOptions,
): Promise<Pick<Storage, 'db' | 'transaction' | 'tell' | 'listen' | 'check' | 'close'>> {
  const { config, trusted, migrations, log, clock } = options
  const { address, database, schema } = config
  const pool = createPool({ config, trusted, log })
  const patient: Pool[] = []
  let kysely: Promise<Kysely<unknown>> | undefined
  const db = () => {
    kysely ??= import('./dialect.ts').then(({ createKysely }) => createKysely(pool))
    return kysely
  }
  const check = async () => void (await pool.query('select 1'))
  try {
    await started(check, clock)
    await migrate({
      pool,
      patient() {
        const one = createPool({ config, trusted, log, limit: MIGRATION_LIMIT })
        patient.push(one)
        return one
      },
      schema,
      name: `${database} at ${nameOf(address)}`,
      migrations,
      log,
      clock,
    })
  } catch (error) {
    await pool.end()
    throw explain(error, targetOf(config))
  } finally {
    for (const one of patient) await one.end()
  }
  // Its own pool: a connection that is held for good is not to be missing where statements wait for one.
  const held = createPool({ config, trusted, log })
  const listener = createListener({ connect: () => held.hold(), schema, log })
  return {
    db,
    async transaction(work, { locks = [] } = {}) {
      const { takeLock } = await import('./dialect.ts')
      return (await db()).transaction().execute(async (tx) => {
        // Always in the same order: two that need the same names must not wait for each other.
        for (const name of [...new Set(locks)].sort())
          await takeLock(tx, `vestibule:${schema}:${name}`)
        return work(tx)
      })
    },
    async tell(tx, topic) {
      const { sql } = await import('kysely')
      await sql`select pg_notify(${CHANNEL}, ${payloadOf(schema, topic)})`.execute(tx)
    },
    listen: listener.listen,
    check,
    async close() {
      await listener.close()
      await held.end()
      await pool.end()
    },
  }
}

/** When each migration was applied, and nothing else is asked or changed. @throws OperatorError */
export async function postgresHistory({
  config,
  trusted,
  log,
}: Pick<PostgresOptions, 'config' | 'trusted' | 'log'>): Promise<ReadonlyMap<string, number>> {
  const pool = createPool({ config, trusted, log })
  try {
    const [found] = await pool.query(
      `select to_regclass('${MIGRATIONS_TABLE}') is not null as found`,
    )
    if (found?.['found'] !== true) return new Map()
    const rows = await pool.query(`select name, applied_at from ${MIGRATIONS_TABLE} order by name`)
    return new Map(rows.map((row) => [String(row['name']), Number(row['applied_at'])]))
  } catch (error) {
    throw explain(error, targetOf(config))
  } finally {
    await pool.end()
  }
}

/** What messages say of it. */
function targetOf({ address, servers, database, username, schema, password }: PostgresConfig) {
  const server = [address, ...servers.map((one) => one.address)].map(nameOf).join(', ')
  return { server, database, username, schema, hasPassword: password !== undefined }
}

/** In a set of containers the database is often started with us. One that is not there at all is refused at once. */
async function started(check: () => Promise<void>, clock: Clock): Promise<void> {
  const deadline = clock.monotonic() + STARTING_PATIENCE
  for (;;) {
    try {
      return await check()
    } catch (error) {
      if (!isStarting(error) || clock.monotonic() >= deadline) throw error
      await sleep(250)
    }
  }
}
