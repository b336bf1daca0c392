/** What the commands of `storage` share: the databases of the configuration, opened as a server opens them. */
import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { type Config, sealed } from '../features.ts'
import { type DataDirectory, openDataDirectory } from '../files/data-directory.ts'
import { finishInterruptedRestore } from '../files/interrupted-restore.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { storageOptions } from '../server/database.ts'
import {
  type EncryptionSetting,
  migrationHistory,
  openStorage,
  otherServers,
  type Storage,
} from '../storage/index.ts'
import { readConfig } from './config.ts'
import type { Cli } from './invocation.ts'

export interface OpenDatabase {
  readonly config: Config
  readonly data: DataDirectory
  readonly storage: Storage
  readonly encryption: EncryptionSetting
}

interface Wish {
  /** Whether a server that runs on the data directory is refused. */
  readonly alone?: boolean
  /** Whether what is still to be migrated is refused, and not done. */
  readonly asItIs?: boolean
}

/** Opens the databases for `work` and closes them after it. A faulty configuration is said, and nothing is done then. */
export async function onStorage(
  cli: Cli,
  { alone = false, asItIs = true }: Wish,
  work: (database: OpenDatabase) => Promise<void>,
): Promise<void> {
  const config = await readConfig(cli)
  if (config === undefined) return
  const { directory, options } = placesOf(cli, config)
  if (existsSync(directory)) finishInterruptedRestore(directory)
  if (!existsSync(options.path) && asItIs)
    throw new OperatorError(
      `there is no database ${options.path} yet`,
      'the first start of the server makes it; or see data_directory and storage.local.path',
    )
  const data = openDataDirectory(directory)
  const lock = alone ? data.lock() : undefined
  try {
    if (asItIs) await refusePending(options)
    const storage = await openStorage(options)
    try {
      const configured = config['storage'].encryption_key
      const encryption = { configured, data, storage, columns: sealed }
      await work({ config, data, storage, encryption })
    } finally {
      await storage.close()
    }
  } finally {
    lock?.release()
  }
}

export function placesOf(cli: Cli, config: Config) {
  const directory = resolve(cli.cwd, config['data_directory'])
  const log = {
    info(fields: unknown) {
      if (typeof fields !== 'object' || fields === null || !('migration' in fields)) return
      const store = 'store' in fields ? String(fields.store) : 'sqlite'
      cli.print(`applied  ${store}  ${String(fields.migration)}\n`)
    },
  }
  return { directory, options: { ...storageOptions(config, { cwd: cli.cwd, directory }), log } }
}

/** A command that looks at the database, or changes one thing in it, does not upgrade it by the way. */
async function refusePending(options: Parameters<typeof migrationHistory>[0]): Promise<void> {
  const missing = (await migrationHistory(options)).find(({ appliedAt }) => appliedAt === undefined)
  if (missing === undefined) return
  throw new OperatorError(
    `the database (${missing.database}) is older than this version: the migration ${missing.name} is missing`,
    'run `vestibule storage migrate up`, or start the server',
  )
}

/** @throws OperatorError while a server of another machine is connected to the database */
export async function refuseOthers(storage: Storage): Promise<void> {
  if (!(await otherServers(storage))) return
  throw new OperatorError(
    'another program of Vestibule is connected to the PostgreSQL database',
    'end all servers that use it first: they would go on with the old key',
  )
}
