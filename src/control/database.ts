import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { createStoredTrail } from '../features/audit/index.ts'
import {
  approveOrForce,
  createPasswordPolicy,
  createPasswords,
} from '../features/passwords/index.ts'
import {
  createFactorRegistry,
  createStoredFactors,
  forgetTrustOf,
  removeStoredKeys,
} from '../features/second-factor/index.ts'
import { openRegistries, throttleNotes } from '../features/throttle/index.ts'
import {
  createUsers,
  hashParameters,
  outdateMarks,
  passwordConfigIn,
  type Users,
} from '../features/users/index.ts'
import { type Config, sealed } from '../features.ts'
import { openDataDirectory } from '../files/data-directory.ts'
import { systemClock } from '../kernel/clock.ts'
import { type AnyOperation, forOperator, OPERATOR } from '../kernel/operation.ts'
import type { StoredServices } from '../operations.ts'
import { storageOptions } from '../server/database.ts'
import { openSealer, openStorage, type Storage } from '../storage/index.ts'

interface Place {
  readonly config: Config
  /** The data directory. */
  readonly directory: string
  readonly cwd: string
}

/**
 * Runs an operation on the database of a server that does not run.
 * @returns undefined when there is no database: the first start makes it, and a question about it does not
 */
export async function askDatabase(
  operation: AnyOperation<StoredServices>,
  input: unknown,
  place: Place,
): Promise<{ readonly data: unknown } | undefined> {
  const { config, directory, cwd } = place
  const options = storageOptions(config, { cwd, directory })
  if (!existsSync(options.path)) return undefined
  const storage = await openStorage({ ...options, log: { info() {} } })
  try {
    const isKept = config['audit'].retention > 0
    const audit = createStoredTrail({ storage, isKept, clock: systemClock })
    const registries = openRegistries({
      storage,
      clock: systemClock,
      ...throttleNotes(audit),
      afterLift: forgetTrustOf(storage),
    })
    const factors = createFactorRegistry({
      storage,
      clock: systemClock,
      removals: [removeStoredKeys(storage)],
    })
    await using opened = new AsyncDisposableStack()
    const policy = createPasswordPolicy(config['password_policy'], (path) => resolve(cwd, path))
    opened.defer(() => policy.close())
    const services = {
      ...registries,
      factors,
      // They are in Redis or sealed in the table: the next start ends them before it answers.
      sessions: {
        async revokeUser(user: string) {
          await outdateMarks(storage, [user])
          return 0
        },
      },
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
      users: () => openUsers(place, storage, opened),
      approve: approveOrForce(policy),
      adminGroups: config['admin'].groups,
      // A user's sessions end at the next start, before it answers the first request.
      async onDeleted(user: string) {
        await registries.devices.revokeUser(user, 'operator')
        await factors.removeAll(user)
      },
    }
    const data = await forOperator(() => operation.execute(services, input, OPERATOR))
    await audit.close()
    return { data }
  } finally {
    await storage.close()
  }
}

/** The users, for one operation. */
async function openUsers(
  { config, directory, cwd }: Place,
  storage: Storage,
  opened: AsyncDisposableStack,
): Promise<Users> {
  const hashing = config['authentication_backend.hashing']
  const passwords = createPasswords({
    parameters: hashParameters(passwordConfigIn(config)),
    ...{ concurrency: hashing.concurrency, queue: hashing.queue, clock: systemClock },
  })
  opened.defer(() => passwords.close())
  const file = config['authentication_backend.file']
  const users = await createUsers({
    config: { ...config, 'authentication_backend.file': { ...file, watch: false } },
    place: {
      resolve: (path) => resolve(cwd, path),
      inDataDirectory: (name) => join(directory, name),
    },
    passwords,
    storage,
    separator: config['identity_headers'].separator,
    log: { error() {}, warn() {}, info() {} },
  })
  opened.defer(() => users.close())
  return users
}
