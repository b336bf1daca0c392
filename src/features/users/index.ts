/**
 * Users: who exists, and whose password this is.
 *
 * Owns the users file (users-file/: reading, changing one user's lines, replacing it, watching it) behind the seam that
 * other places will share (backend.ts, backends/). Names are canonical everywhere: what the store spells, never what
 * was typed (advisory 2); an answer is always the store's present one (advisories 3 and 36). Does not own hashing
 * (passwords), sessions (told by `onRemoved`), what a failed attempt costs (throttle).
 */
import type { BaseLogger } from 'pino'
import type { Passwords } from '../passwords/index.ts'
import type { Users } from './backend.ts'
import { backends } from './backends/index.ts'
import type { FileConfig } from './manifest.ts'
import type { PasswordMarks } from './store.ts'

export type { Authentication, Guard, NewUser, Profile, ReloadResult, Users } from './backend.ts'
export { type Directory, readDirectory, usersFileOf } from './directory.ts'
export { hashParameters } from './hashing.ts'
export { parsePassword } from './hashing-check.ts'
export { openPasswordMarks, type PasswordMarks } from './store.ts'

export interface UsersOptions {
  /** `authentication_backend.file` */
  readonly config: FileConfig
  /** The users file, absolute. There may be none yet; its directory exists. */
  readonly path: string
  /** `identity_headers.separator`: no group of the file may hold it. */
  readonly separator: string
  readonly passwords: Passwords
  /** `authentication_backend.rehash_on_login` */
  readonly rehash: boolean
  readonly marks?: PasswordMarks
  readonly log: Pick<BaseLogger, 'error' | 'warn' | 'info'>
}

/** @throws OperatorError when what is there cannot be read as users; the message names every fault with its place */
export function createUsers({ config, ...tools }: UsersOptions): Promise<Users> {
  return backends.file({
    ...tools,
    watch: config.watch,
    search: { email: config.search.email, caseInsensitive: config.search.case_insensitive },
    extraAttributes: config.extra_attributes,
  })
}
