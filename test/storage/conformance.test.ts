import { suite } from 'node:test'
import { openStorage } from '../../src/storage/index.ts'
import { fruitMigrations, storageConformance } from '../conformance/storage.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { missingPostgres, type Postgres, startPostgres } from '../support/postgres.ts'

const log = { info() {} }

storageConformance('SQLite', async (t) => {
  const storage = await openStorage({ path: ':memory:', migrations: fruitMigrations, log })
  t.after(() => storage.close())
  return storage
})

suite('PostgreSQL', { skip: missingPostgres }, () => {
  const cleanup = suiteCleanup()
  let server: Promise<Postgres> | undefined
  const postgres = () => {
    server ??= startPostgres(cleanup)
    return server
  }
  storageConformance('PostgreSQL', async (t) => {
    const storage = await openStorage({
      path: ':memory:',
      postgres: await (await postgres()).config(),
      migrations: fruitMigrations,
      log,
    })
    t.after(() => storage.close())
    return storage
  })
})
