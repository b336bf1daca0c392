import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { createStoredTrail } from '../features/audit/index.ts'
import { createFactorRegistry } from '../features/second-factor/index.ts'
import { openRegistries } from '../features/throttle/index.ts'
import { type Config, migrations } from '../features.ts'
import { systemClock } from '../kernel/clock.ts'
import { type AnyOperation, forOperator, OPERATOR } from '../kernel/operation.ts'
import type { StoredServices } from '../operations.ts'
import { openStorage, trustedCertificates } from '../storage/index.ts'

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
  const { local, postgres } = config['storage']
  const path =
    local.path === '' ? resolve(directory, 'vestibule.sqlite3') : resolve(cwd, local.path)
  if (!existsSync(path)) return undefined
  const certificates = config['certificates_directory'] ?? ''
  const trusted = trustedCertificates(certificates && resolve(cwd, certificates))
  const storage = await openStorage({ path, postgres, trusted, migrations, log: { info() {} } })
  try {
    const isKept = config['audit'].retention > 0
    const audit = createStoredTrail({ storage, isKept, clock: systemClock })
    const services = {
      ...openRegistries({ storage, clock: systemClock }),
      factors: createFactorRegistry({ storage, clock: systemClock }),
      audit,
    }
    const data = await forOperator(() => operation.execute(services, input, OPERATOR))
    await audit.close()
    return { data }
  } finally {
    await storage.close()
  }
}
