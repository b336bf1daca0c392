/** Searching a backend that has its users in memory. */
import { setImmediate as nextTurn } from 'node:timers/promises'
import type { Account, AccountQuery } from './backend.ts'
import { createMatch } from './search-terms.ts'

/** Accounts that are looked at before other work gets a turn: about a millisecond. */
const LOOKED_AT_ONCE = 500

/**
 * @param names all names, in order
 * @param byName the account now; undefined when it is gone by now
 */
export async function searchListed(
  names: readonly string[],
  byName: (name: string) => Account | undefined,
  query: AccountQuery,
): Promise<readonly Account[]> {
  const matches = createMatch(query)
  const found: Account[] = []
  const from = query.after === undefined ? 0 : firstAfter(names, query.after)
  for (let i = from; i < names.length && found.length < query.limit; i++) {
    const account = byName(names[i] ?? '')
    if (account !== undefined && matches(account)) found.push(account)
    if ((i - from) % LOOKED_AT_ONCE === LOOKED_AT_ONCE - 1) await nextTurn()
  }
  return found
}

/** By code point, as a database that compares bytes orders them. */
export function byCharacters(a: string, b: string): number {
  if (a === b) return 0
  // Where no character needs two units, their order is the order of the characters.
  if (!/[\ud800-\uffff]/.test(a + b)) return a < b ? -1 : 1
  return Buffer.compare(Buffer.from(a), Buffer.from(b))
}

function firstAfter(names: readonly string[], after: string): number {
  let [low, high] = [0, names.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (byCharacters(names[middle] ?? '', after) <= 0) low = middle + 1
    else high = middle
  }
  return low
}
