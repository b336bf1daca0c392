import { DatabaseAccount } from './account.ts'
import type { UserRow } from './tables.ts'

/** Accounts that are kept in memory: those whose users ask most recently. */
const MAX_ACCOUNTS = 20_000

/** Accounts as they were last read, until they change. */
export function createAccountCache() {
  const accounts = new Map<string, DatabaseAccount>()
  /** Changes that were heard: what was asked for before one of them may be old. */
  let changes = 0

  function keep(row: UserRow, asked: number): DatabaseAccount {
    const known = accounts.get(row.name)
    if (known?.version === String(row.version)) return known
    const account = new DatabaseAccount(row)
    if (asked !== changes) return account
    accounts.delete(row.name)
    accounts.set(row.name, account)
    const [oldest] = accounts.size > MAX_ACCOUNTS ? accounts.keys() : []
    if (oldest !== undefined) accounts.delete(oldest)
    return account
  }

  return {
    get: (name: string) => accounts.get(name),
    /** Called before a row is asked for. @returns what takes the answer */
    expect() {
      const asked = changes
      return (row: UserRow) => keep(row, asked)
    },
    drop(name: string) {
      changes++
      accounts.delete(name)
    },
    clear() {
      changes++
      accounts.clear()
    },
  }
}
