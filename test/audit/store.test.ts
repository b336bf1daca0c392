import { suite } from 'node:test'
import manifest from '../../src/features/audit/manifest.ts'
import { createAuditStore } from '../../src/features/audit/store.ts'
import { openStorage } from '../../src/storage/index.ts'
import { auditStoreConformance } from '../conformance/audit-store.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { missingPostgres, type Postgres, startPostgres } from '../support/postgres.ts'

const { migrations } = manifest
const log = { info() {} }

auditStoreConformance('SQLite', async (t) => {
  const storage = await openStorage({ path: ':memory:', migrations, log })
  t.after(() => storage.close())
  return createAuditStore(storage)
})

suite('PostgreSQL', { skip: missingPostgres }, () => {
  const cleanup = suiteCleanup()
  let server: Promise<Postgres> | undefined
  auditStoreConformance('PostgreSQL', async (t) => {
    server ??= startPostgres(cleanup)
    const postgres = await (await server).config()
    const storage = await openStorage({ path: ':memory:', postgres, migrations, log })
    t.after(() => storage.close())
    return createAuditStore(storage)
  })
})
