import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { suite, type TestContext } from 'node:test'
import manifest from '../../src/features/outbox/manifest.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import type { PostgresConfig } from '../../src/storage/postgres-config.ts'
import { outboxConformance } from '../conformance/outbox.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { missingPostgres, type Postgres, startPostgres } from '../support/postgres.ts'

const { migrations } = manifest
const log = { info() {} }

async function open(t: TestContext, path: string, postgres?: PostgresConfig): Promise<Storage> {
  const storage = await openStorage({ path, postgres, migrations, log })
  t.after(() => storage.close())
  return storage
}

suite('SQLite', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-outbox-'))
  suiteCleanup().after(() => rmSync(folder, { recursive: true, force: true }))
  outboxConformance('SQLite', (t, name) => open(t, join(folder, name)))
})

suite('PostgreSQL', { skip: missingPostgres }, () => {
  const cleanup = suiteCleanup()
  let server: Promise<Postgres> | undefined
  const databases = new Map<string, Promise<PostgresConfig>>()
  outboxConformance('PostgreSQL', async (t, name) => {
    server ??= startPostgres(cleanup)
    const postgres = databases.get(name) ?? (await server).config()
    databases.set(name, postgres)
    return open(t, ':memory:', await postgres)
  })
})
