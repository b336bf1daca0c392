import type { Account, AccountQuery, Found, MaybePromise, Profile, UserBackend } from './backend.ts'
import { byCharacters } from './search-listed.ts'

/** Several backends as one: a name is the user of the first that has it, disabled or not. */
export interface BackendOrder {
  /** The enabled user. Without a promise where the backends that are asked answer without one. */
  profile(name: string): MaybePromise<Profile | undefined>
  /** The account, disabled or not, and which backend has it. */
  lookUp(name: string): Promise<Found | undefined>
  /** Accounts in the order of their names' characters. */
  search(query: AccountQuery): Promise<readonly Found[]>
  /** Of the backends that have their users in memory: for what must not wait. */
  inMemory(name: string): Account | undefined
  /** The accounts of the backends that have them in memory. */
  listed(): Iterable<Account>
  /** Whether every backend has its users in memory. */
  readonly isAllInMemory: boolean
}

export function createOrder(backends: readonly UserBackend[]): BackendOrder {
  const memory = backends.filter((backend) => !(Symbol.asyncIterator in backend.list()))
  const [only, ...more] = backends

  function firstOf(
    [backend, ...rest]: readonly UserBackend[],
    name: string,
  ): MaybePromise<Account | undefined> {
    const found = backend?.byName(name)
    if (backend === undefined || rest.length === 0) return found
    return found instanceof Promise
      ? found.then((account) => account ?? firstOf(rest, name))
      : (found ?? firstOf(rest, name))
  }

  async function lookUp(name: string): Promise<Found | undefined> {
    for (const backend of backends) {
      const account = await backend.byName(name)
      if (account !== undefined) return { backend, account }
    }
    return undefined
  }

  return {
    // With one backend, the verify path pays for no order.
    profile:
      only !== undefined && more.length === 0
        ? (name) => only.profile(name)
        : (name) => {
            const account = firstOf(backends, name)
            return account instanceof Promise
              ? account.then(enabledProfile)
              : enabledProfile(account)
          },
    lookUp,
    async search(query) {
      const found = new Map<string, Found>()
      for (const backend of backends)
        for (const account of await backend.search(query)) {
          const { name } = account.profile
          // Of two backends that have the name, the first one's user is meant.
          const hidden = backend !== only && (await lookUp(name))?.backend !== backend
          if (!hidden) found.set(name, { backend, account })
        }
      const sorted = [...found.values()].sort((a, b) =>
        byCharacters(a.account.profile.name, b.account.profile.name),
      )
      return sorted.slice(0, query.limit)
    },
    inMemory(name) {
      for (const backend of memory) {
        const account = backend.byName(name)
        if (account !== undefined && !(account instanceof Promise)) return account
      }
      return undefined
    },
    *listed() {
      for (const backend of memory) {
        const list = backend.list()
        if (Symbol.iterator in list) yield* list
      }
    },
    isAllInMemory: memory.length === backends.length,
  }
}

const enabledProfile = (account: Account | undefined): Profile | undefined =>
  account?.disabled === false ? account.profile : undefined
