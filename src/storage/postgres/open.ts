import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import type { PostgresConfig } from '../postgres-config.ts'
import type { Storage, StorageOptions } from '../storage.ts'
import { explain, isStarting } from './error.ts'
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
): Promise<Pick<Storage, 'db' | 'transaction' | 'check' | 'close'>> {
  const { config, trusted, migrations, log, clock } = options
  const { address, database, username, schema, password } = config
  const server = [config, ...config.servers].map((one) => nameOf(one.address)).join(', ')
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
    const target = { server, database, username, schema, hasPassword: password !== undefined }
    throw explain(error, target)
  } finally {
    for (const one of patient) await one.end()
  }
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
    check,
    close: () => pool.end(),
  }
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
