import { chmodSync, closeSync, lstatSync, mkdirSync, realpathSync } from 'node:fs'
import { dirname } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { BaseLogger } from 'pino'
import { openAppendFile } from '../../files/private-file.ts'
import type { Clock } from '../../kernel/clock.ts'
import type { Migration } from '../../kernel/feature.ts'
import { OperatorError, systemCode } from '../../kernel/operator-error.ts'
import { explain, isBusy } from './error.ts'
import { migrate, refuseForeignFile } from './migrate.ts'

/**
 * How long a statement waits, in milliseconds, for another process that is writing. node:sqlite waits on the event
 * loop: every verify waits with it, so this is short. Our own process never waits for itself (`write`).
 */
const BUSY_TIMEOUT = 1000
/** Two processes that turn a new file to WAL at once get SQLITE_BUSY without any waiting. */
const OPEN_ATTEMPTS = 100

/** The embedded database. */
export interface EmbeddedStorage {
  /** The one connection, for statements that a feature prepares itself. Write through `write`. */
  readonly sqlite: DatabaseSync
  /** Kysely over the same connection; imported when it is first asked for. */
  db(): Promise<Kysely<unknown>>
  /**
   * Runs `work` in one transaction and in one go, when no Kysely transaction is open: inside one, a write would be
   * undone by a rollback that has nothing to do with it. It is on disk when the promise resolves.
   *
   * @param work synchronous; if it throws, nothing was written
   */
  write<T>(work: () => T): Promise<T>
  /** Rejects when it cannot be read. */
  check(): Promise<void>
  close(): Promise<void>
}

export interface EmbeddedOptions {
  /** The file; its folder is made when it is missing. `:memory:` keeps everything in memory. */
  readonly path: string
  readonly migrations: Readonly<Record<string, Migration>>
  readonly log: Pick<BaseLogger, 'info'>
  readonly clock: Clock
}

/**
 * Opens the embedded database (WAL, every commit on disk before it is acknowledged, mode 0600) and migrates it.
 *
 * @throws OperatorError
 */
export async function openEmbedded(options: EmbeddedOptions): Promise<EmbeddedStorage> {
  const { path, migrations, log, clock } = options
  const sqlite = await openFile(path)
  let kysely: Promise<Kysely<unknown>> | undefined
  const db = () => {
    kysely ??= import('./dialect.ts').then(({ createKysely }) => createKysely(sqlite))
    return kysely
  }
  try {
    for (const name of await migrate({ sqlite, path, migrations, clock, db })) {
      log.info({ migration: name }, 'the database was migrated')
    }
    if (path !== ':memory:') keepPrivate(path)
  } catch (error) {
    sqlite.close()
    throw explain(error, path)
  }
  return {
    sqlite,
    db,
    async write(work) {
      // Between this check and the commit nothing else runs: no await.
      while (sqlite.isTransaction) await nextTurn()
      sqlite.exec('begin immediate')
      try {
        const result = work()
        sqlite.exec('commit')
        return result
      } catch (error) {
        if (sqlite.isTransaction) sqlite.exec('rollback')
        throw error
      }
    },
    async check() {
      sqlite.prepare('select name from sqlite_schema limit 1').get()
    },
    async close() {
      while (sqlite.isOpen && sqlite.isTransaction) await nextTurn()
      if (sqlite.isOpen) sqlite.close()
    },
  }
}

async function openFile(path: string): Promise<DatabaseSync> {
  if (path !== ':memory:') createPrivate(path)
  for (let attempt = 1; ; attempt++) {
    let sqlite: DatabaseSync | undefined
    try {
      sqlite = new DatabaseSync(path, { timeout: BUSY_TIMEOUT })
      // Before the first pragma that changes the file.
      refuseForeignFile(sqlite, path)
      sqlite.exec(`
        pragma journal_mode = wal;
        pragma synchronous = full;
        pragma foreign_keys = on;
        pragma trusted_schema = off;
      `)
      return sqlite
    } catch (error) {
      sqlite?.close()
      if (!isBusy(error) || attempt === OPEN_ATTEMPTS) throw explain(error, path)
      await sleep(20)
    }
  }
}

/** Makes the file before SQLite does, for its mode: SQLite gives `-wal` and `-shm` the mode of the file. */
function createPrivate(path: string): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
    closeSync(openAppendFile(path))
  } catch (error) {
    throw new OperatorError(
      `the database ${path} cannot be opened (${systemCode(error)})`,
      'see storage.local.path and data_directory, and who owns what is there',
      { cause: error },
    )
  }
}

/** A file that was restored or copied by hand may be readable for others. Done once it is known to be ours. */
function keepPrivate(path: string): void {
  // By name, where that is no link: to open and close the file would lift SQLite's locks on it.
  const real = realpathSync(path)
  for (const file of [real, `${real}-wal`, `${real}-shm`]) {
    const stats = lstatSync(file, { throwIfNoEntry: false })
    if (stats?.isFile() === true && (stats.mode & 0o077) !== 0) chmodSync(file, 0o600)
  }
}
