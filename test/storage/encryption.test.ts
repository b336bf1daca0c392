import { suite } from 'node:test'
import { openStorage } from '../../src/storage/index.ts'
import { boxMigrations, encryptionConformance } from '../conformance/encryption.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { missingPostgres, type Postgres, startPostgres } from '../support/postgres.ts'

const log = { info() {} }

encryptionConformance('SQLite', async (t) => {
  const storage = await openStorage({ path: ':memory:', migrations: boxMigrations, log })
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
  encryptionConformance('PostgreSQL', async (t) => {
    const storage = await openStorage({
      path: ':memory:',
      postgres: await (await postgres()).config(),
      migrations: boxMigrations,
      log,
    })
    t.after(() => storage.close())
    return storage
  })
})
