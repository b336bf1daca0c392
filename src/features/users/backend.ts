/**
 * The port of user backends: what a place where users live must offer, and what it may offer. An implementation is a
 * folder in backends/ and a line in its index. It holds data; how an attempt to sign in is checked, limited and timed is
 * the same for all (authenticate.ts).
 */
import type { Fault } from '../../config/index.ts'
import type { EpochMs } from '../../kernel/clock.ts'
import type { Digest } from '../passwords/index.ts'

/** What is known of a user. Keeps its identity (===) until anything about that user changes, the password included. */
export interface Profile {
  /** Canonical: as the backend spells it, whatever was typed at sign-in. */
  readonly name: string
  readonly displayName: string
  /** '' when there is none. */
  readonly email: string
  readonly groups: readonly string[]
  /** From then on the user counts as disabled. Left out: never. */
  readonly expiresAt?: EpochMs
  /** The next sign-in leads to the page where the user sets another password. */
  readonly mustChangePassword?: true
}

export const isExpired = ({ expiresAt }: Profile, now: EpochMs): boolean =>
  expiresAt !== undefined && expiresAt <= now

/** What else is kept of a user, by the keys and with the values of a users file: `given_name`, `address`, `extra` … */
export type Attributes = Readonly<Record<string, unknown>>

interface AccountFacts {
  readonly profile: Profile
  readonly disabled: boolean
  /** Changes with every change of the account. Says nothing by itself. */
  readonly version: string
  readonly attributes: Attributes
}

/** An account whose password is checked by this server, against a digest that the backend stores. */
export interface DigestAccount extends AccountFacts {
  readonly kind: 'digest'
  readonly digest: Digest
  /** Stands for the digest (password-marks.ts). */
  readonly mark: string
  /** The mark of the digest that this one replaced, when both were made from the same password. */
  readonly continues: string | undefined
}

/** An account whose password the backend checks itself, as LDAP does by a bind. */
export interface BindAccount extends AccountFacts {
  readonly kind: 'bind'
  /**
   * Whether this is the password. Never called with an empty one.
   * @param signal aborted when the time for an answer is over; a later answer does not count
   */
  bind(password: string, signal: AbortSignal): Promise<boolean>
}

/** A user as a backend has them at one moment, disabled or not. */
export type Account = DigestAccount | BindAccount

export type MaybePromise<T> = T | Promise<T>

/** A backend that cannot answer throws AppError STORE_UNAVAILABLE, which is never taken for "no such user". */
export interface AccountLookup {
  /**
   * The enabled user of this canonical name, whether expired or not (users.ts looks at that). The verify path asks it for each request: a backend that has its users in
   * memory answers without a promise, and a remote one from a cache where it can.
   */
  profile(name: string): MaybePromise<Profile | undefined>
  /** The account of this canonical name, disabled or not. Without a promise where `profile` answers without one. */
  byName(name: string): MaybePromise<Account | undefined>
  /**
   * By what was typed at sign-in, of any length and content.
   * @param signal aborted when the time for an answer is over
   */
  byLogin(login: string, signal: AbortSignal): MaybePromise<Account | undefined>
}

/** Which accounts are asked for: those for which all of it is true. */
export interface AccountQuery {
  /** Each word begins a word of the name, the display name or the mail address (search-terms.ts). '' finds all. */
  readonly search?: string | undefined
  readonly group?: string | undefined
  readonly disabled?: boolean | undefined
  /** Names that come after this one alone. */
  readonly after?: string | undefined
  readonly limit: number
}

export interface AccountSearch {
  /** At most `limit` accounts, disabled ones included, in the order of their names' characters. */
  search(query: AccountQuery): Promise<readonly Account[]>
}

export interface AccountListing {
  /** Whether the backend has no account at all, disabled ones included. A remote backend says false. */
  isEmpty(): boolean
  /** All accounts, disabled ones included. Not async when they are in memory. */
  list(): Iterable<Account> | AsyncIterable<Account>
  /** The digest that costs most to check; undefined when the backend stores none. */
  costliest(): Digest | undefined
}

/** What is different since the last change. */
export interface AccountsChange {
  /** Canonical names of users who were removed or disabled, or have another password. */
  readonly invalidated: readonly string[]
  /** Canonical names that the backend did not have before. */
  readonly added: readonly string[]
  /** The accounts that changed, or all when any may have. Read later, it may say what is in force then. */
  readonly accounts: Iterable<Account>
}

export type ReloadResult =
  | { readonly ok: true; readonly users: number; readonly revision: string }
  | { readonly ok: false; readonly faults: readonly Fault[] }

export interface AccountWatch {
  /** Tells each change as soon as it is in force. */
  onChange(listener: (change: AccountsChange) => void): void
  /** Reads the users again. When they are refused, what was in force stays in force. */
  reload(): Promise<ReloadResult>
}

/** What must be true for a change to be made; looked at in the same step as the change. */
export interface Condition {
  /** The account still has this version. Else AppError USER_CHANGED. */
  readonly version?: string | undefined
  /** One user who can sign in stays a member of one of these groups. Else AppError USER_LAST_ADMINISTRATOR. */
  readonly administrators?: readonly string[] | undefined
}

/** Passwords can be changed: this server makes the digest, the backend stores it. */
export interface DigestWriting {
  readonly kind: 'digest'
  /**
   * Resolves when the digest is stored and in force; listeners have been told by then.
   * @param mustChange whether the user has to change this password at the next sign-in
   * @throws AppError USER_UNKNOWN, USER_CHANGED, USERS_UNWRITABLE
   */
  set(name: string, digest: string, mustChange: boolean, condition?: Condition): Promise<void>
  /**
   * Replaces the digest of this mark by one of the same password: the account `continues` it and stays valid.
   * @returns false, and nothing is changed: the user has another digest by now
   * @throws AppError USER_UNKNOWN, USERS_UNWRITABLE
   */
  renew(name: string, digest: string, mark: string): Promise<boolean>
}

/** Passwords can be changed: the backend makes of them what it stores. */
export interface PasswordWriting {
  readonly kind: 'password'
  /** @throws AppError USER_UNKNOWN, PASSWORD_UNUSABLE, USERS_UNWRITABLE */
  set(name: string, password: string): Promise<void>
}

export interface AccountFields {
  readonly displayName: string
  readonly email: string
  readonly groups: readonly string[]
  readonly disabled: boolean
  /** null: never. */
  readonly expiresAt: EpochMs | null
  readonly mustChangePassword: boolean
  readonly attributes: Attributes
}

/** What may be left out is empty, false or never. */
export type NewFields = Pick<AccountFields, 'displayName' | 'groups'> & Partial<AccountFields>

export interface AccountCreation {
  /** @throws AppError USER_EXISTS, BODY_INVALID (`details.faults`), USERS_UNWRITABLE */
  add(name: string, account: NewFields & { readonly digest: string }): Promise<void>
}

export interface AccountEditing {
  /**
   * Changes the given fields.
   * @throws AppError USER_UNKNOWN, USER_CHANGED, USER_LAST_ADMINISTRATOR, BODY_INVALID (`details.faults`),
   * USERS_UNWRITABLE
   */
  change(name: string, fields: Partial<AccountFields>, condition?: Condition): Promise<void>
}

export interface AccountRemoval {
  /** @throws AppError USER_UNKNOWN, USER_CHANGED, USER_LAST_ADMINISTRATOR, USERS_UNWRITABLE */
  remove(name: string, condition?: Condition): Promise<void>
}

/** What a backend must offer, and by key what it may offer. */
export interface UserBackend extends AccountLookup, AccountListing, AccountSearch, AccountWatch {
  /** For operators: `file`, `ldap`. */
  readonly name: string
  readonly writing?: DigestWriting | PasswordWriting
  readonly creation?: AccountCreation
  readonly editing?: AccountEditing
  readonly removal?: AccountRemoval
  close(): Promise<void>
}

/** An account, and the backend that has it. */
export interface Found {
  readonly backend: UserBackend
  readonly account: Account
}
