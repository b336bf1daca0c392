/**
 * The port of user backends: what a place where users live must offer, and what it may offer. An implementation is a
 * folder in backends/ and a line in its index. It holds data; how an attempt to sign in is checked, limited and timed is
 * the same for all (authenticate.ts).
 */
import type { Fault } from '../../config/index.ts'
import type { Digest } from '../passwords/index.ts'

/** What is known of a user. Keeps its identity (===) until anything about that user changes, the password included. */
export interface Profile {
  /** Canonical: as the backend spells it, whatever was typed at sign-in. */
  readonly name: string
  readonly displayName: string
  /** '' when there is none. */
  readonly email: string
  readonly groups: readonly string[]
}

interface AccountFacts {
  readonly profile: Profile
  readonly disabled: boolean
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
   * The enabled user of this canonical name. The verify path asks it for each request: a backend that has its users in
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

/** Passwords can be changed: this server makes the digest, the backend stores it. */
export interface DigestWriting {
  readonly kind: 'digest'
  /**
   * Resolves when the digest is stored and in force; listeners have been told by then.
   * @throws AppError USER_UNKNOWN, USERS_UNWRITABLE
   */
  set(name: string, digest: string): Promise<void>
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
  readonly groups: readonly string[]
}

export interface AccountCreation {
  /** @throws AppError USER_EXISTS, BODY_INVALID (`details.faults`), USERS_UNWRITABLE */
  add(name: string, account: AccountFields & { readonly digest: string }): Promise<void>
}

export interface AccountEditing {
  /** Changes the given fields. @throws AppError USER_UNKNOWN, BODY_INVALID (`details.faults`), USERS_UNWRITABLE */
  change(name: string, fields: Partial<AccountFields & { disabled: boolean }>): Promise<void>
}

export interface AccountRemoval {
  /** @throws AppError USER_UNKNOWN, USERS_UNWRITABLE */
  remove(name: string): Promise<void>
}

/** What a backend must offer, and by key what it may offer. */
export interface UserBackend extends AccountLookup, AccountListing, AccountWatch {
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
