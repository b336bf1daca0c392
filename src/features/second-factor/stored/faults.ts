import { OperatorError } from '../../../kernel/operator-error.ts'

/** Those that a message names. */
const SOME = 5
/** SQLite takes 32,766 parameters in a statement; this is far below it. */
const CHUNK = 500

/** @param what one sentence each, without a full stop */
export function alreadyThere(what: readonly string[]): OperatorError {
  const named = what.slice(0, SOME).join(', ')
  const more = what.length > SOME ? `, and ${what.length - SOME} more` : ''
  return new OperatorError(
    `${named}${more} already`,
    'nothing was changed; --force replaces what is there',
  )
}

export const doesNotOpen = (what: string): OperatorError =>
  new OperatorError(
    `${what} does not open with the encryption key`,
    'see `vestibule storage encryption check`',
  )

/** PostgreSQL keeps some 6,000 for all transactions together. */
const MAX_LOCKS = 1000

/**
 * The locks of an import. A larger one goes without: who changes a factor in the same moment makes one of the two fail by the
 * table's own keys, and it is undone.
 */
export const boundedLocks = (names: readonly string[]): readonly string[] =>
  names.length <= MAX_LOCKS ? names : []

export function* chunks<T>(all: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < all.length; at += CHUNK) yield all.slice(at, at + CHUNK)
}
