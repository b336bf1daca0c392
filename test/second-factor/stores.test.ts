import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { migrations } from '../../src/features.ts'
import { openStorage } from '../../src/storage/index.ts'
import { secondFactorConformance } from '../conformance/second-factor.ts'

secondFactorConformance('the embedded database', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-factors-'))
  const path = join(folder, 'vestibule.sqlite3')
  const open = () => openStorage({ path, migrations, log: { info() {} } })
  const one = await open()
  const two = await open()
  t.after(async () => {
    await one.close()
    await two.close()
    rmSync(folder, { recursive: true, force: true })
  })
  return [one, two]
})
