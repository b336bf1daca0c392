import { existsSync } from 'node:fs'
import { createStoredTrail } from '../features/audit/index.ts'
import {
  createFactorRegistry,
  createStoredFactors,
  removeStoredKeys,
} from '../features/second-factor/index.ts'
import { openRegistries, throttleNotes } from '../features/throttle/index.ts'
import { type Config, sealed } from '../features.ts'
import { openDataDirectory } from '../files/data-directory.ts'
import { systemClock } from '../kernel/clock.ts'
import { type AnyOperation, forOperator, OPERATOR } from '../kernel/operation.ts'
import type { StoredServices } from '../operations.ts'
import { storageOptions } from '../server/database.ts'
import { openSealer, openStorage } from '../storage/index.ts'

/**
 * Runs an operation on the database of a server that does not run.
 * @returns undefined when there is no database: the first start makes it, and a question about it does not
 */
export async function askDatabase(
  operation: AnyOperation<StoredServices>,
  input: unknown,
  place: { readonly config: Config; readonly directory: string; readonly cwd: string },
): Promise<{ readonly data: unknown } | undefined> {
  const { config, directory, cwd } = place
  const options = storageOptions(config, { cwd, directory })
  if (!existsSync(options.path)) return undefined
  const storage = await openStorage({ ...options, log: { info() {} } })
  try {
    const isKept = config['audit'].retention > 0
    const audit = createStoredTrail({ storage, isKept, clock: systemClock })
    const services = {
      ...openRegistries({ storage, clock: systemClock, ...throttleNotes(audit) }),
      factors: createFactorRegistry({
        storage,
        clock: systemClock,
        removals: [removeStoredKeys(storage)],
      }),
      storedFactors: createStoredFactors({
        ...{ storage, clock: systemClock, totp: config['totp'] },
        sealer: () =>
          openSealer({
            configured: config['storage'].encryption_key,
            data: openDataDirectory(directory),
            ...{ storage, columns: sealed },
          }),
      }),
      audit,
    }
    const data = await forOperator(() => operation.execute(services, input, OPERATOR))
    await audit.close()
    return { data }
  } finally {
    await storage.close()
  }
}
