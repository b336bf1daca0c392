import type { Fault } from '../../config/index.ts'
import type { Digest, Place } from '../passwords/index.ts'
import type { Directory } from './directory.ts'
import type { Marks } from './store.ts'

/** Who somebody is. Keeps its identity (===) for as long as nothing about that user changed, the password included. */
export interface Profile {
  /** Canonical: as the store spells it, whatever was typed at sign-in. */
  readonly name: string
  readonly displayName: string
  /** '' when there is none. */
  readonly email: string
  readonly groups: readonly string[]
}

export type Authentication =
  | { readonly kind: 'accepted'; readonly profile: Profile }
  | {
      readonly kind: 'refused'
      /** The canonical name of a known user, disabled or not; else ''. Never what was typed. */
      readonly name: string
      readonly reason: 'unknown' | 'disabled' | 'password'
    }

/**
 * What counts attempts. Asked once an attempt, when its turn to be checked has come and before its password is looked
 * at; attempts on one name are checked one after another, so that what it answers is still true when the check is over.
 */
export interface Guard {
  /**
   * What the attempt must not run beside, and whether room is reserved for it.
   * @param name the canonical name of a known user, disabled or not; else ''
   * @param spelling one for all ways to write the name, also of a user that does not exist: both must wait alike
   */
  place(name: string, spelling: string): Place
  /**
   * @param name the canonical name of a known user, disabled or not; else ''
   * @returns false: the work is done all the same, and the attempt is refused as by a wrong password
   * @throws AppError: the attempt ends with it, unchecked
   */
  admit(name: string): Promise<boolean>
  /** What came of it; not called when it ended with an error. @throws AppError: the attempt ends with it */
  settle(right: boolean): Promise<void>
}

export type ReloadResult =
  | { readonly ok: true; readonly users: number; readonly revision: string }
  | { readonly ok: false; readonly faults: readonly Fault[] }

export interface NewUser {
  readonly displayName: string
  readonly groups: readonly string[]
  readonly password: string
}

/** A place where users live. A new one is a file in backends/ and a line in its index. */
export interface Users {
  /**
   * The enabled user of this canonical name. Synchronous for the file backend: the verify path asks it every time.
   * What it answers is current; a caller that keeps the answer keeps an old truth.
   */
  profile(name: string): Profile | undefined | Promise<Profile | undefined>
  /**
   * Whether this login and password are somebody's. Unknown and disabled users, empty and oversized passwords cost a
   * real hash too and take the same path.
   * @param client the client's address, by which hashing is shared out
   * @throws AppError HASHING_BUSY; what the guard throws
   */
  authenticate(
    login: string,
    password: string,
    client: string,
    guard?: Guard,
  ): Promise<Authentication>
  /**
   * Resolves when the change is on disk and in force; `onRemoved` has been told by then.
   * @param name canonical
   * @throws AppError USER_UNKNOWN, PASSWORD_UNUSABLE, HASHING_BUSY, USERS_UNWRITABLE
   */
  setPassword(name: string, password: string): Promise<void>
  /** Whether there is no user at all, disabled ones included. */
  isEmpty(): boolean
  /** @throws AppError USER_EXISTS, BODY_INVALID (`details.faults`), PASSWORD_UNUSABLE, HASHING_BUSY, USERS_UNWRITABLE */
  add(name: string, user: NewUser): Promise<void>
  /** Reads the store again. When it is refused, what was in force stays in force. */
  reload(): Promise<ReloadResult>
  /** Told the canonical names of users who were deleted or disabled, or whose password changed: their sessions end. */
  onRemoved(listener: (names: readonly string[]) => void): void
  /** Who is there now. */
  directory(): Directory
  /** What stands for each enabled user's password. */
  marks(): Marks
  /** The stored digest that costs most to check; undefined when no digest is stored here. */
  dearest(): Digest | undefined
  close(): Promise<void>
}
