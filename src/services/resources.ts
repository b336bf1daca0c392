import { resolve } from 'node:path'
import type { Logger } from 'pino'
import { type Config, sealed } from '../features.ts'
import { type DataDirectory, openDataDirectory } from '../files/data-directory.ts'
import type { Clock } from '../kernel/clock.ts'
import type { Sealer } from '../kernel/seal.ts'
import { storageOptions } from '../server/database.ts'
import {
  openSealer,
  openStorage,
  type Storage,
  type StorageOptions,
  watchKey,
} from '../storage/index.ts'
import type { openRedis } from '../storage/redis/index.ts'

export interface Setting {
  readonly config: Config
  /** What relative paths are relative to. */
  readonly cwd: string
  readonly clock: Clock
  readonly log: Logger
}

/** What services stand on: the data directory and the databases. */
export interface Resources extends Setting {
  readonly data: Pick<DataDirectory, 'path' | 'file' | 'secret'>
  readonly storage: Storage
  /** Seals columns of the database: those that the manifests name in `sealed`. */
  readonly sealer: Sealer
  /** Undefined without `session.redis`. */
  readonly redis: Awaited<ReturnType<typeof openRedis>> | undefined
  /** Certificates that outgoing connections trust besides the usual. */
  readonly trusted: StorageOptions['trusted']
  /** What `/api/health/ready` asks. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>
}

/** Opens the data directory, which only one server may use, and the databases. */
export async function openResources(
  setting: Setting,
  opened: AsyncDisposableStack,
): Promise<Resources> {
  const { config, cwd, clock, log } = setting
  const data = openDataDirectory(resolve(cwd, config['data_directory']))
  const lock = data.lock()
  opened.defer(() => lock.release())

  const options = storageOptions(config, { cwd, directory: data.path })
  const { trusted } = options
  const storage = await openStorage({ ...options, log })
  opened.defer(() => storage.close())
  const configured = config['storage'].encryption_key
  const opener = await openSealer({ configured, data, storage, columns: sealed })
  const key = watchKey({ storage, sealer: opener, log })
  opened.defer(() => key.close())
  const { sealer } = key
  const checks = {
    storage: async () => {
      await storage.check()
      await key.check()
    },
  }

  const shared = config['session.redis']
  const found = { ...setting, data, storage, sealer, trusted }
  if (shared === undefined) return { ...found, redis: undefined, checks }
  // Most installations have no Redis, and load nothing of its client.
  const connect = (await import('../storage/redis/index.ts')).openRedis
  const redis = await connect({ config: shared, trusted, log, clock })
  opened.defer(() => redis.close())
  return { ...found, redis, checks: { ...checks, redis: redis.check } }
}
