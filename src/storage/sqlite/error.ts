import { AppError } from '../../kernel/errors.ts'
import { OperatorError } from '../../kernel/operator-error.ts'

/** SQLite's primary result codes, https://www.sqlite.org/rescode.html */
const BUSY = 5
const LOCKED = 6
const READONLY = 8
const IOERR = 10
const CORRUPT = 11
const FULL = 13
const CANTOPEN = 14
const NOTADB = 26

const LOCKED_BY_OTHER = {
  problem: 'another process keeps it locked',
  hint: 'stop that process, or wait until it is done',
}
const NOT_WRITABLE = {
  problem: 'this user cannot write to it, or to its folder',
  hint: 'see storage.local.path and data_directory, and who owns what is there',
}
const REASONS: Readonly<Record<number, { readonly problem: string; readonly hint?: string }>> = {
  [BUSY]: LOCKED_BY_OTHER,
  [LOCKED]: LOCKED_BY_OTHER,
  [READONLY]: NOT_WRITABLE,
  [CANTOPEN]: NOT_WRITABLE,
  [IOERR]: { problem: 'the disk reported an error' },
  [CORRUPT]: { problem: 'it is damaged', hint: 'restore it from a backup' },
  [FULL]: { problem: 'the disk is full' },
  [NOTADB]: { problem: 'it is no SQLite database', hint: 'give storage.local.path another file' },
}

/** @returns the primary result code of an error that node:sqlite threw, or undefined when it is another error */
function sqliteCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error)) return undefined
  // Extended codes keep the primary one in their low byte.
  return typeof error.errcode === 'number' ? error.errcode & 0xff : undefined
}

/** Whether another connection holds the lock that was asked for: trying again makes sense. */
export function isBusy(error: unknown): boolean {
  const code = sqliteCode(error)
  return code === BUSY || code === LOCKED
}

/** What a feature gets of an error: the refusal when the file cannot be used now, else the error itself. */
export function unavailable(error: unknown): unknown {
  const code = sqliteCode(error)
  if (code === undefined || REASONS[code] === undefined) return error
  const { problem } = REASONS[code]
  return new AppError(
    'STORE_UNAVAILABLE',
    { store: 'sqlite', problem },
    { cause: error, retryAfter: 5 },
  )
}

/** Says in a sentence why the database at `path` cannot be used; errors of other kinds are handed back as they are. */
export function explain(error: unknown, path: string): unknown {
  const code = sqliteCode(error)
  if (code === undefined || !(error instanceof Error)) return error
  const { problem, hint } = REASONS[code] ?? { problem: error.message }
  return new OperatorError(`the database ${path} cannot be used: ${problem}`, hint, {
    cause: error,
  })
}
