/** The database cannot be used, and the process should not start. The message says why and what to do about it. */
export class StorageError extends Error {
  override readonly name = 'StorageError'
}

/** SQLite's primary result codes, https://www.sqlite.org/rescode.html */
export const SQLITE = {
  BUSY: 5,
  LOCKED: 6,
  READONLY: 8,
  IOERR: 10,
  CORRUPT: 11,
  FULL: 13,
  CANTOPEN: 14,
  NOTADB: 26,
} as const

/** @returns the primary result code of an error that node:sqlite threw, or undefined when it is another error */
export function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  // Extended codes keep the primary one in their low byte.
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}

/** Whether another connection holds the lock that was asked for: trying again makes sense. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === SQLITE.BUSY || code === SQLITE.LOCKED
}

const REASONS: Readonly<Record<number, string>> = {
  [SQLITE.BUSY]: 'another process keeps it locked',
  [SQLITE.LOCKED]: 'another process keeps it locked',
  [SQLITE.READONLY]: 'it is read-only for this user, or its folder is',
  [SQLITE.IOERR]: 'the disk reported an error',
  [SQLITE.CORRUPT]: 'it is damaged; restore it from a backup',
  [SQLITE.FULL]: 'the disk is full',
  [SQLITE.CANTOPEN]: 'it cannot be opened; does the folder exist, and may this user write to it?',
  [SQLITE.NOTADB]: 'it is not an SQLite database',
}

/** Says in one sentence why the database at `path` cannot be used; other errors are handed back as they are. */
export function explain(error: unknown, path: string): unknown {
  const code = sqliteCode(error)
  if (code === undefined) return error
  const reason = REASONS[code] ?? (error instanceof Error ? error.message : 'unknown error')
  return new StorageError(`The database ${path} cannot be used: ${reason}`, { cause: error })
}
