import type { BaseLogger } from 'pino'
import type { Clock } from '../../../../kernel/clock.ts'
import { AppError } from '../../../../kernel/errors.ts'
import { OperatorError } from '../../../../kernel/operator-error.ts'
import type { Storage } from '../../../../storage/index.ts'
import type { Digest } from '../../../passwords/index.ts'
import type { AccountsChange, Profile, UserBackend } from '../../backend.ts'
import { markOf } from '../../password-marks.ts'
import { DatabaseAccount, digestOf } from './account.ts'
import { createAccountCache } from './cache.ts'
import { createNews } from './news.ts'
import { openPosition } from './position.ts'
import {
  type ChangeRow,
  createDatabaseStore,
  type DatabaseStore,
  isInvalidated,
  TOPIC,
  type Written,
  withDigest,
  withFields,
} from './store.ts'

export interface DatabaseUsersOptions {
  readonly storage: Storage
  readonly email: boolean
  readonly caseInsensitive: boolean
  readonly separator: string
  readonly clock: Clock
  readonly log: Pick<BaseLogger, 'error' | 'warn' | 'info'>
}

/** Accounts that `list` asks for at once. */
const PAGE = 500

/**
 * Users in the configured database, which several instances may share. Some are kept in memory, as long as the news of what
 * other instances change arrive (news.ts).
 * @throws OperatorError, AppError STORE_UNAVAILABLE
 */
export async function openDatabaseUsers(options: DatabaseUsersOptions): Promise<UserBackend> {
  const { storage, caseInsensitive, clock, log } = options
  const store = createDatabaseStore(options)
  const upper = caseInsensitive ? await store.firstUpperCase() : undefined
  if (upper !== undefined)
    throw new OperatorError(
      `the user ${upper} is not lower case, as search.case_insensitive wants it`,
      'rename the user, or switch search.case_insensitive off',
    )
  const listeners: ((change: AccountsChange) => void)[] = []
  const tell = (change: Omit<AccountsChange, 'accounts'>) => {
    for (const listener of listeners) listener({ ...change, accounts: [] })
  }
  const cache = createAccountCache()
  const state = { empty: await store.isEmpty(), costliest: await store.costliest() }
  const position = openPosition(storage)
  /** Changes of this instance, which it has told already. */
  const own = new Set<number>()
  /** Changes of this instance that are not told yet. */
  const writing = new Set<Promise<unknown>>()

  async function heard(changes: readonly ChangeRow[], missed: boolean): Promise<void> {
    // What is being written here may be heard before its answer comes. Told late as if it were another's, it would end sessions
    // that began after it.
    await Promise.allSettled(writing)
    const others = changes.filter(({ id }) => !own.delete(id))
    if (missed) cache.clear()
    for (const { name } of others) cache.drop(name)
    if (others.length > 0 || missed) {
      state.empty = await store.isEmpty()
      state.costliest = await store.costliest()
    }
    const named = (key: 'added' | 'invalidated') =>
      others.flatMap((change) => (change[key] === 1 ? [change.name] : []))
    if (others.length > 0) tell({ invalidated: named('invalidated'), added: named('added') })
    position.reached(changes.at(-1)?.id ?? 0, clock.now())
  }

  const from = position.done ?? (await store.lastChange())
  const { changesAfter } = store
  position.reached(from, clock.now())
  const settle = () => position.settle(clock.now())
  const news = createNews({
    ...{ from, changesAfter, heard, settle, clock, log },
    listen: (listener) => storage.listen(TOPIC, listener),
  })

  /** A change of this instance is in force, and told, when this returns. */
  function took({ id, before, after }: Written): void {
    own.add(id)
    const name = (after ?? before)?.name ?? ''
    cache.drop(name)
    if (after !== undefined) {
      state.empty = false
      const digest = digestOf(after.digest)
      if (digest.weight > (state.costliest?.weight ?? 0)) state.costliest = digest
    }
    tell({
      invalidated: isInvalidated(before, after) ? [name] : [],
      added: before === undefined ? [name] : [],
    })
  }

  async function take(change: Promise<Written | undefined>): Promise<Written | undefined> {
    const taken = change.then((written) => {
      if (written !== undefined) took(written)
      return written
    })
    writing.add(taken)
    try {
      return await taken
    } finally {
      writing.delete(taken)
    }
  }

  async function load(name: string): Promise<DatabaseAccount | undefined> {
    const keep = cache.expect()
    // PostgreSQL takes no NUL, and no user has one.
    const row = name.includes('\0') ? undefined : await store.byName(name)
    return row && keep(row)
  }

  const byName = (name: string) => {
    const known = news.isTrusted() ? cache.get(name) : undefined
    return known ?? load(name)
  }
  const enabled = (account: DatabaseAccount | undefined): Profile | undefined =>
    account === undefined || account.disabled ? undefined : account.profile

  return {
    name: 'database',
    profile(name) {
      const account = byName(name)
      return account instanceof Promise ? account.then(enabled) : enabled(account)
    },
    byName,
    async byLogin(login) {
      const keep = cache.expect()
      const row = await store.byLogin(login)
      return row && keep(row)
    },
    isEmpty: () => state.empty,
    async *list() {
      for (let after: string | undefined; ; ) {
        const rows = await store.search({ after, limit: PAGE })
        for (const row of rows) yield new DatabaseAccount(row)
        after = rows.at(-1)?.name
        if (rows.length < PAGE) return
      }
    },
    search: async (query) => (await store.search(query)).map((row) => new DatabaseAccount(row)),
    costliest: (): Digest | undefined => state.costliest,
    onChange(listener) {
      listeners.push(listener)
    },
    async reload() {
      await news.ask()
      return { ok: true, users: await store.count(), revision: String(news.last()) }
    },
    ...changesOf(store, take, async () => {
      state.empty = await store.isEmpty()
    }),
    close: () => news.close(),
  }
}

/** What the database may be asked to change. */
function changesOf(
  store: DatabaseStore,
  take: (change: Promise<Written | undefined>) => Promise<Written | undefined>,
  removed: () => Promise<void>,
): Required<Pick<UserBackend, 'writing' | 'creation' | 'editing' | 'removal'>> {
  return {
    writing: {
      kind: 'digest',
      async set(name, digest, mustChangePassword, condition = {}) {
        await take(
          store.change(name, condition, (before) => ({
            ...withFields(before, { mustChangePassword }),
            ...withDigest(digest),
          })),
        )
      },
      async renew(name, digest, mark) {
        const written = await take(
          store.change(name, {}, (before) =>
            markOf(before.digest) === mark
              ? { ...withFields(before, {}), ...withDigest(digest, mark) }
              : 'unchanged',
          ),
        )
        return written !== undefined
      },
    },
    creation: {
      async add(name, account) {
        const written = await take(store.add(name, account))
        if (written === undefined) throw new AppError('INTERNAL')
      },
    },
    editing: {
      async change(name, fields, condition = {}) {
        await take(store.change(name, condition, (before) => withFields(before, fields)))
      },
    },
    removal: {
      async remove(name, condition = {}) {
        await take(store.change(name, condition, () => undefined))
        await removed()
      },
    },
  }
}
