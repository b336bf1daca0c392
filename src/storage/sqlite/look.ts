import { accessSync, constants, statSync } from 'node:fs'
import { DatabaseSync } from 'node:sqlite'
import { pathToFileURL } from 'node:url'
import { OperatorError, systemCode } from '../../kernel/operator-error.ts'
import { explain } from './error.ts'
import { appliedAt, refuseForeignFile, refuseNewer } from './migrate.ts'

/**
 * Whether a database that is there could be opened and migrated. Makes and changes nothing, not even the files that SQLite
 * keeps beside it.
 * @param migrations the names of those that there are
 * @throws OperatorError
 */
export function lookAtDatabase(path: string, migrations: readonly string[]): void {
  const size = statSync(path, { throwIfNoEntry: false })
  if (size === undefined || path === ':memory:') return
  try {
    accessSync(path, constants.R_OK | constants.W_OK)
  } catch (error) {
    throw new OperatorError(
      `the database ${path} cannot be opened (${systemCode(error)})`,
      'see storage.local.path and data_directory, and who owns what is there',
      { cause: error },
    )
  }
  if (!size.isFile()) throw new OperatorError(`the database ${path} is no file`)
  let sqlite: DatabaseSync | undefined
  try {
    sqlite = new DatabaseSync(locationOf(path), { readOnly: true })
    refuseForeignFile(sqlite, path)
    refuseNewer(sqlite, path, migrations)
  } catch (error) {
    throw explain(error, path)
  } finally {
    sqlite?.close()
  }
}

/**
 * When each migration of a file was applied; none where there is no file. Changes nothing.
 * @throws OperatorError when it is no database of ours
 */
export function historyOfFile(path: string): ReadonlyMap<string, number> {
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return new Map()
  let sqlite: DatabaseSync | undefined
  try {
    sqlite = new DatabaseSync(locationOf(path), { readOnly: true })
    refuseForeignFile(sqlite, path)
    return appliedAt(sqlite)
  } catch (error) {
    throw explain(error, path)
  } finally {
    sqlite?.close()
  }
}

/**
 * To read what a running or killed server wrote last, SQLite needs the index beside it. Where there is none, it would be
 * made: then what is in the file itself is all that is looked at.
 */
function locationOf(path: string): URL {
  const url = pathToFileURL(path)
  const isThere = (suffix: string) =>
    statSync(path + suffix, { throwIfNoEntry: false }) !== undefined
  url.search = isThere('-wal') && isThere('-shm') ? 'mode=ro' : 'immutable=1'
  return url
}
