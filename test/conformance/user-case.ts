/** What the suites of user backends share: users, and how a backend is opened with them. */
import type { TestContext } from 'node:test'
import type { UserBackend } from '../../src/features/users/backend.ts'
import type { Users } from '../../src/features/users/index.ts'
import type { EpochMs } from '../../src/kernel/clock.ts'
import { AppError } from '../../src/kernel/errors.ts'
import type { FakeClock } from '../support/clock.ts'

/** A user as a test wants it to be in the backend before it is opened. */
export interface GivenUser {
  readonly name: string
  readonly displayName: string
  readonly email: string
  readonly groups: readonly string[]
  readonly password: string
  readonly disabled?: boolean
  readonly expiresAt?: EpochMs
  readonly mustChangePassword?: true
}

export interface UserBackendCase {
  readonly backend: UserBackend
  /** Whether the backend has this user beside those that are given. */
  isOther?(name: string): boolean
  /** Another program changes the users, as an administrator's editor would; in force when it resolves. */
  replaceAll(given: readonly GivenUser[]): Promise<void>
}

export const CAPABILITIES = ['writing', 'creation', 'editing', 'removal'] as const
/** What a backend may offer. */
export type Capability = (typeof CAPABILITIES)[number]

/** A backend with these users in it. */
export type OpenBackend = (t: TestContext, given: readonly GivenUser[]) => Promise<UserBackendCase>
/** The same, and what is above every backend. */
export type OpenUsers = (
  t: TestContext,
  given: readonly GivenUser[],
) => Promise<UserBackendCase & { readonly users: Users; readonly clock: FakeClock }>

export const CLIENT = '192.0.2.1'
export const john: GivenUser = {
  name: 'john',
  displayName: 'John Doe',
  email: 'john.doe@example.com',
  groups: ['admins', 'dev'],
  password: 'correct horse',
}
export const bob: GivenUser = { ...john, name: 'bob', displayName: 'Bob', email: '', groups: [] }
export const gone: GivenUser = { ...bob, name: 'gone', displayName: 'Gone', disabled: true }

export const isRefused = (code: string) => (error: unknown) =>
  error instanceof AppError && error.code === code
