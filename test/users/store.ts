/** Users files of their own for tests: a directory each, cheap hashing, a log that is kept. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { createPasswords, type HashParameters } from '../../src/features/passwords/index.ts'
import type { UserBackend } from '../../src/features/users/backend.ts'
import {
  type FileUsersOptions,
  openFileUsers,
} from '../../src/features/users/backends/file/open.ts'
import { type CombineOptions, combineUsers, type Users } from '../../src/features/users/users.ts'
import { systemClock } from '../../src/kernel/clock.ts'

export const CHEAP = {
  algorithm: 'argon2',
  variant: 'argon2id',
  iterations: 1,
  memory: 8,
  parallelism: 1,
  keyLength: 16,
  saltLength: 8,
} as const satisfies HashParameters
export const cheapPasswords = (parameters: HashParameters = CHEAP) =>
  createPasswords({ parameters, concurrency: 1, queue: 100, clock: systemClock })

/** Cheap digests: two of `password`, one of `secret`. */
export const DIGEST = '$argon2id$v=19$m=8,t=1,p=1$dyjVezUHbeU$0wp7rMfXbcN99OPeEW3Htw'
export const OTHER_DIGEST = '$argon2id$v=19$m=8,t=1,p=1$TGXGt1zK8uw$+DF0XvnuJ5ckoETCNXvWqA'
export const SECRET_DIGEST = '$argon2id$v=19$m=8,t=1,p=1$pHbz+2zUAVI$MLXcmraqzgDkv9wNH6+iNQ'

export interface LogLine {
  readonly level: string
  readonly fields: Readonly<Record<string, unknown>>
  readonly message: string
}
export function keptLog() {
  const lines: LogLine[] = []
  const keep =
    (level: string) =>
    (fields: unknown, message?: string): void => {
      const given = typeof fields === 'object' && fields !== null ? { ...fields } : {}
      lines.push({ level, fields: given, message: message ?? String(fields) })
    }
  return {
    lines,
    log: { error: keep('error'), warn: keep('warn'), info: keep('info') },
    text: () => lines.map(({ level, message }) => `${level} ${message}`).join('\n'),
  }
}

export interface Store {
  readonly directory: string
  readonly path: string
  read(): string
  /** In place, as some editors do. */
  write(text: string): void
  /** What lies beside it, but for the file that whoever writes holds locked. */
  names(): string[]
}

/** @param text undefined: no file */
export function makeStore(t: TestContext, text: string | undefined): Store {
  const directory = mkdtempSync(join(tmpdir(), 'vestibule-users-'))
  t.after(() => rmSync(directory, { recursive: true, force: true }))
  const path = join(directory, 'users.yml')
  if (text !== undefined) writeFileSync(path, text)
  return {
    directory,
    path,
    read: () => readFileSync(path, 'utf8'),
    write: (next) => writeFileSync(path, next),
    names: () =>
      readdirSync(directory)
        .filter((name) => name !== '.users.yml.lock')
        .sort(),
  }
}

type OpenOptions = Partial<FileUsersOptions & CombineOptions>

/** The users of one file, and the backend that has them. */
export async function openUsers({
  path,
  passwords = cheapPasswords(),
  log = keptLog().log,
  ...options
}: OpenOptions & { readonly path: string }): Promise<{
  readonly users: Users
  readonly backend: UserBackend
}> {
  const backend = await openFileUsers({
    path,
    watch: false,
    search: { email: false, caseInsensitive: false },
    extraAttributes: {},
    separator: ',',
    log,
    ...options,
  })
  return { users: combineUsers([backend], { passwords, log, ...options }), backend }
}

export async function openStore(
  t: TestContext,
  { path }: Pick<Store, 'path'>,
  options: OpenOptions = {},
) {
  const kept = keptLog()
  const opened = await openUsers({ path, log: kept.log, ...options })
  t.after(() => opened.users.close())
  return { ...opened, ...kept }
}

/** Waits until it is so. The limit is for what never comes: a run must end. */
export async function until(condition: () => boolean): Promise<void> {
  for (let looks = 0; !condition(); looks++) {
    if (looks > 3000) throw new Error('what was waited for never came')
    await sleep(10)
  }
}
