import { migrations } from '../../src/features.ts'
import { openStorage } from '../../src/storage/index.ts'
import { secondFactorConformance } from '../conformance/second-factor.ts'

// One process has the file to itself: what else asks at the same moment is in this process.
secondFactorConformance('the embedded database', async (t) => {
  const storage = await openStorage({ path: ':memory:', migrations, log: { info() {} } })
  t.after(() => storage.close())
  return [storage, storage]
})
