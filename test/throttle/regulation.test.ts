import { suite, type TestContext } from 'node:test'
import { migrations } from '../../src/features.ts'
import { openStorage, type Storage } from '../../src/storage/index.ts'
import { regulationConformance } from '../conformance/regulation.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { missingPostgres, type Postgres, startPostgres } from '../support/postgres.ts'

const log = { info() {} }

async function open(
  t: TestContext,
  postgres?: Awaited<ReturnType<Postgres['config']>>,
): Promise<Storage> {
  const storage = await openStorage({ path: ':memory:', postgres, migrations, log })
  t.after(() => storage.close())
  return storage
}

regulationConformance('SQLite', async (t) => [await open(t)])

suite('PostgreSQL', { skip: missingPostgres }, () => {
  const cleanup = suiteCleanup()
  let server: Promise<Postgres> | undefined
  regulationConformance('PostgreSQL, two nodes', async (t) => {
    server ??= startPostgres(cleanup)
    // A thousand attempts wait for ten connections; on a busy machine they take their time.
    const config = await (await server).config({ timeout: '1m' })
    return [await open(t, config), await open(t, config)]
  })
})
