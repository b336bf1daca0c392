import type { BaseLogger } from 'pino'
import { type Clock, systemClock } from '../../kernel/clock.ts'
import type { StartPlace } from '../../kernel/feature.ts'
import type { Storage } from '../../storage/index.ts'
import type { Digest, Passwords } from '../passwords/index.ts'
import { type Authenticate, createAuthenticate } from './authenticate.ts'
import {
  type Account,
  type AccountQuery,
  type DigestAccount,
  type DigestWriting,
  type Found,
  isExpired,
  type MaybePromise,
  type Profile,
  type ReloadResult,
  type UserBackend,
} from './backend.ts'
import { backendsIn } from './backends/index.ts'
import { createChanges, type UserChanges } from './changes.ts'
import { type Directory, directoryOf } from './directory.ts'
import { createFindAccount, type FoundAccount } from './find-account.ts'
import type { BackendsConfig } from './manifest.ts'
import { createOrder } from './order.ts'
import { type Marks, marksOf, type PasswordMarks } from './password-marks.ts'
import { createRehash } from './rehash.ts'

/** The users of all backends. */
export interface Users extends UserChanges {
  /**
   * The enabled user of this canonical name. Without a promise where users are in memory: the verify path asks for each
   * request. The answer is current; it is not to be kept.
   */
  profile(name: string): MaybePromise<Profile | undefined>
  /** The account of this canonical name as its backend has it now, disabled or not. */
  account(name: string): Promise<Found | undefined>
  /** Accounts of all backends, disabled ones included, in the order of their names' characters. */
  search(query: AccountQuery): Promise<readonly Found[]>
  authenticate: Authenticate
  /**
   * The user of a login, disabled or not, by what was typed: its time may tell whether there is one.
   * @throws AppError STORE_UNAVAILABLE
   */
  findAccount(login: string): Promise<FoundAccount | undefined>
  /** Some backend takes new passwords. */
  readonly takesPasswords: boolean
  /** Whether there is no user at all, disabled ones included. */
  isEmpty(): boolean
  /** Reads all backends again. When one is refused, what was in force there stays in force. */
  reload(): Promise<ReloadResult>
  /** Tells the canonical names whose sessions must end: users who were removed or disabled, or have another password. */
  onInvalidated(listener: (names: readonly string[]) => void): void
  /** The users at this moment; empty where a backend cannot list them at once. */
  directory(): Directory
  /** What stands for each enabled user's password, as far as users are in memory. */
  marks(): Marks
  /** The stored digest that costs most to check; undefined when no digest is stored. */
  costliest(): Digest | undefined
  close(): Promise<void>
}

export interface CombineOptions {
  readonly passwords: Passwords
  /** `authentication_backend.rehash_on_login` */
  readonly rehash?: boolean
  readonly marks?: PasswordMarks
  readonly clock?: Clock
  readonly log: Pick<BaseLogger, 'error' | 'warn' | 'info'>
}

export interface UsersOptions extends CombineOptions {
  /** Each backend reads its own part of it, and is opened when that part is there. */
  readonly config: BackendsConfig
  readonly place: StartPlace
  /** `identity_headers.separator`: no group may hold it. */
  readonly separator: string
  readonly storage: Storage
}

/** @throws OperatorError when the users of a backend cannot be read; the message names every fault with its place */
export async function createUsers({
  config,
  place,
  separator,
  storage,
  ...tools
}: UsersOptions): Promise<Users> {
  const opened: UserBackend[] = []
  try {
    for (const backend of backendsIn(config)) {
      const { clock = systemClock, log } = tools
      const one = await backend.open(config, { place, separator, storage, clock, log })
      if (one !== undefined) opened.push(one)
    }
  } catch (error) {
    await Promise.all(opened.map((backend) => backend.close()))
    throw error
  }
  return combineUsers(opened, tools)
}

/** @param backends opened, in order; `close` closes them */
export function combineUsers(
  backends: readonly UserBackend[],
  { passwords, rehash: isRehashing, marks: known, clock = systemClock, log }: CombineOptions,
): Users {
  const order = createOrder(backends)
  const { lookUp, inMemory } = order
  const marks = marksOf(inMemory, order.listed)
  const rehash = isRehashing === true ? createRehash({ passwords, renew, log }) : undefined
  const listeners: ((names: readonly string[]) => void)[] = []

  async function renew(
    { profile: { name }, mark }: DigestAccount,
    digest: string,
    writing: DigestWriting,
  ): Promise<void> {
    // Another password was set meanwhile: this one is not to come back.
    const now = inMemory(name)
    if (now !== undefined && marks.get(name) !== mark) return
    const store = () => writing.renew(name, digest, mark)
    // Marks are kept of users in memory; a database keeps its own.
    if (known === undefined || now === undefined) await store()
    else await known.renew(name, digest, marks, store)
  }

  function observe(accounts: Iterable<Account>): void {
    known
      ?.observe(marksOf(inMemory, () => accounts))
      .catch((error: unknown) => log.error({ err: error }, 'new users could not be noted'))
  }

  const unexpired = (profile: Profile | undefined): Profile | undefined =>
    profile !== undefined && isExpired(profile, clock.now()) ? undefined : profile

  observe(order.listed())
  for (const backend of backends) {
    // A name that another backend had until now, or has, may be another person: no session of it goes on.
    const isAlone = backends.length === 1
    backend.onChange(({ invalidated, added, accounts }) => {
      const names = isAlone ? invalidated : [...invalidated, ...added]
      if (names.length > 0) for (const listener of listeners) listener(names)
      observe(accounts)
    })
  }

  return {
    profile(name) {
      const profile = order.profile(name)
      return profile instanceof Promise ? profile.then(unexpired) : unexpired(profile)
    },
    account: lookUp,
    search: order.search,
    authenticate: createAuthenticate({ backends, lookUp, passwords, rehash, clock }),
    findAccount: createFindAccount(backends, clock),
    takesPasswords: backends.some((backend) => backend.writing !== undefined),
    ...createChanges({ backends, lookUp, passwords }),
    isEmpty: () => backends.every((backend) => backend.isEmpty()),
    reload: () => reloadAll(backends),
    onInvalidated(listener) {
      listeners.push(listener)
    },
    directory: () => directoryOf(order.isAllInMemory ? order.listed() : []),
    marks: () => marks,
    costliest: () => costliestOf(backends.map((backend) => backend.costliest())),
    async close() {
      await rehash?.close()
      await Promise.all(backends.map((backend) => backend.close()))
    },
  }
}

function costliestOf(digests: readonly (Digest | undefined)[]): Digest | undefined {
  let costliest: Digest | undefined
  for (const digest of digests)
    if (digest !== undefined && digest.weight > (costliest?.weight ?? 0)) costliest = digest
  return costliest
}

async function reloadAll(backends: readonly UserBackend[]): Promise<ReloadResult> {
  const results = await Promise.all(backends.map((backend) => backend.reload()))
  const faults = results.flatMap((result) => (result.ok ? [] : result.faults))
  if (faults.length > 0) return { ok: false, faults }
  const taken = results.filter((result) => result.ok)
  return {
    ok: true,
    users: taken.reduce((sum, { users }) => sum + users, 0),
    revision: taken.map(({ revision }) => revision).join(' '),
  }
}
