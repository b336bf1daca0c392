import { systemClock } from '../kernel/clock.ts'
import { shared } from './history.ts'
import { openEmbedded } from './sqlite/open.ts'
import type { Storage, StorageOptions } from './storage.ts'

/**
 * Opens the databases and migrates them.
 *
 * @throws OperatorError when one cannot be opened, is another program's, or was written by a newer version
 */
export async function openStorage(options: StorageOptions): Promise<Storage> {
  const { path, postgres: config, trusted, migrations, log, clock = systemClock } = options
  const embedded = await openEmbedded({ path, migrations, log, clock })
  const { sqlite, write } = embedded
  if (config === undefined)
    return {
      ...embedded,
      dialect: 'sqlite',
      transaction: async (work) => (await embedded.db()).transaction().execute(work),
      tell: async () => {},
      listen: () => () => {},
    }
  try {
    const { openPostgres } = await import('./postgres/open.ts')
    const postgres = await openPostgres({
      config,
      trusted,
      migrations: shared(migrations),
      log,
      clock,
    })
    return {
      sqlite,
      write,
      dialect: 'postgres',
      db: postgres.db,
      transaction: postgres.transaction,
      tell: postgres.tell,
      listen: postgres.listen,
      async check() {
        await Promise.all([embedded.check(), postgres.check()])
      },
      async close() {
        await postgres.close()
        await embedded.close()
      },
    }
  } catch (error) {
    await embedded.close()
    throw error
  }
}
