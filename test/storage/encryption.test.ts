import { suite, type TestContext } from 'node:test'
import { openStorage } from '../../src/storage/index.ts'
import { encryptionConformance } from '../conformance/encryption.ts'
import { sealedValuesConformance } from '../conformance/sealed-values.ts'
import { boxMigrations } from '../support/boxes.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { missingPostgres, type Postgres, startPostgres } from '../support/postgres.ts'

const log = { info() {} }

const embedded = async (t: TestContext) => {
  const storage = await openStorage({ path: ':memory:', migrations: boxMigrations, log })
  t.after(() => storage.close())
  return storage
}
encryptionConformance('SQLite', embedded)
sealedValuesConformance('SQLite', embedded)

suite('PostgreSQL', { skip: missingPostgres }, () => {
  const cleanup = suiteCleanup()
  let server: Promise<Postgres> | undefined
  const postgres = () => {
    server ??= startPostgres(cleanup)
    return server
  }
  const shared = async (t: TestContext) => {
    const storage = await openStorage({
      path: ':memory:',
      postgres: await (await postgres()).config(),
      migrations: boxMigrations,
      log,
    })
    t.after(() => storage.close())
    return storage
  }
  encryptionConformance('PostgreSQL', shared)
  sealedValuesConformance('PostgreSQL', shared)
})
