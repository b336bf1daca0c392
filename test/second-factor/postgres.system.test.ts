import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrations } from '../../src/features.ts'
import { openStorage } from '../../src/storage/index.ts'
import { secondFactorConformance } from '../conformance/second-factor.ts'
import { suiteCleanup } from '../support/cleanup.ts'
import { missingPostgres, type Postgres, startPostgres } from '../support/postgres.ts'

const cleanup = suiteCleanup()
let server: Promise<Postgres> | undefined

secondFactorConformance(
  'PostgreSQL',
  async (t) => {
    server ??= startPostgres(cleanup)
    const postgres = await (await server).config()
    const folder = mkdtempSync(join(tmpdir(), 'vestibule-factors-'))
    const open = (name: string) =>
      openStorage({ path: join(folder, name), postgres, migrations, log: { info() {} } })
    const one = await open('one.sqlite3')
    const two = await open('two.sqlite3')
    t.after(async () => {
      await one.close()
      await two.close()
      rmSync(folder, { recursive: true, force: true })
    })
    return [one, two]
  },
  missingPostgres,
)
