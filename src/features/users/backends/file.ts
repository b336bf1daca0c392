import { dirname } from 'node:path'
import type { BaseLogger } from 'pino'
import { formatFaults } from '../../../config/index.ts'
import { removeDrafts } from '../../../files/atomic-write.ts'
import { watchFiles } from '../../../files/watcher.ts'
import { AppError } from '../../../kernel/errors.ts'
import { OperatorError, systemCode } from '../../../kernel/operator-error.ts'
import type { Passwords, Turn } from '../../passwords/index.ts'
import type { Authentication, Guard, Users } from '../backend.ts'
import { directoryOf } from '../directory.ts'
import { createRehash } from '../rehash.ts'
import { isSamePassword, mailKey, marksOf, type Search } from '../roster.ts'
import { markOfText, type PasswordMarks } from '../store.ts'
import type { Change } from '../users-file/change.ts'
import { isMountedAlone, REASONS } from '../users-file/disk.ts'
import type { ExtraAttributes } from '../users-file/fields.ts'
import { createLiveUsers } from '../users-file/live.ts'

export interface FileUsersOptions {
  /** Absolute. There may be no such file yet; its directory exists. */
  readonly path: string
  readonly watch: boolean
  readonly search: Search
  readonly extraAttributes: ExtraAttributes
  /** What joins the groups in the identity header. */
  readonly separator: string
  readonly passwords: Passwords
  /** Makes weak digests anew at sign-in; not when undefined. */
  readonly rehash?: boolean
  /** Kept up to date with who is there; not when undefined. */
  readonly marks?: PasswordMarks
  readonly log: Pick<BaseLogger, 'error' | 'warn' | 'info'>
  /** Milliseconds between two looks at the file when nothing is heard of it. */
  readonly pollEvery?: number
  /** How long a changed file has to look the same before it is read, in milliseconds. */
  readonly rest?: number
}

/** An editor that writes in place is done when the file looks the same twice, this many milliseconds apart. */
const REST = 60

/**
 * Users in a YAML file that people edit too (users-file/live.ts).
 * @throws OperatorError when the file is wrong or cannot be read
 */
export async function openFileUsers(options: FileUsersOptions): Promise<Users> {
  const { path, search, extraAttributes, separator, passwords, log } = options
  const listeners: ((names: readonly string[]) => void)[] = []
  const live = createLiveUsers({
    path,
    read: { source: path, separator, search, extraAttributes },
    taken(removed, now, changed) {
      if (removed.length > 0) for (const listener of listeners) listener(removed)
      const { marks } = options
      if (marks === undefined) return
      const noted =
        changed === undefined
          ? marks.observe(marksOf(now))
          : marks.observe(
              changed.disabled ? new Map() : new Map([[changed.profile.name, changed.mark]]),
            )
      void noted.catch((error: unknown) =>
        log.error({ err: error }, 'who has joined could not be noted'),
      )
    },
    log,
  })
  const { roster } = live

  /** For a change that was asked for: whoever can mend the file is told. */
  async function changeLoudly(change: Change): Promise<void> {
    try {
      await live.change(change)
    } catch (error) {
      if (error instanceof AppError && error.code === 'USERS_UNWRITABLE') {
        const { reason } = error.details
        log.error({ file: path, reason }, `the users file cannot be changed: it ${reason}`)
      }
      throw error
    }
  }

  const rehash =
    options.rehash === true ? createRehash({ passwords, replace: replaceDigest, log }) : undefined

  async function replaceDigest(name: string, old: string, digest: string): Promise<void> {
    // Another password was set meanwhile: this one is not to come back.
    if (roster().records.get(name)?.mark !== old) return
    const mark = markOfText(digest)
    await options.marks?.expect(name, mark)
    const done = await live.change({ kind: 'password', name, digest, insteadOf: old }, old)
    const now = roster().records.get(name)
    // Where more has changed meanwhile, sessions end, and what ends them says what is right from then on.
    if (done && now?.mark === mark && !now.disabled)
      await options.marks?.settle([name], new Map([[name, mark]]))
  }

  async function authenticate(
    login: string,
    password: string,
    client: string,
    guard?: Guard,
  ): Promise<Authentication> {
    const record = roster().find(login)
    const usable = record !== undefined && !record.disabled
    const turn = guard && turnOf(guard, record?.profile.name, login)
    let matches = false
    if (usable) matches = await passwords.verify(record.digest, password, client, turn)
    else await passwords.burn(password, client, turn)
    if (record === undefined) return { kind: 'refused', name: '', reason: 'unknown' }
    const { name } = record.profile
    // Hashing takes a while; what was changed meanwhile is in force.
    const now = roster().records.get(name)
    if (now === undefined) return { kind: 'refused', name: '', reason: 'unknown' }
    if (!usable || now.disabled) return { kind: 'refused', name, reason: 'disabled' }
    if (!matches || !isSamePassword(record, now))
      return { kind: 'refused', name, reason: 'password' }
    rehash?.offer(name, record, password)
    return { kind: 'accepted', profile: now.profile }
  }

  await prepare(path)
  const first = await live.load()
  if (!first.ok) throw new OperatorError(`the users file is refused\n${formatFaults(first.faults)}`)
  if (await isMountedAlone(path))
    log.warn(
      { file: path },
      'the users file is mounted by itself: no password can be changed here, and changes may go unnoticed; mount its directory',
    )
  const watcher = options.watch
    ? watchFiles({
        files: () => [path],
        rest: options.rest ?? REST,
        unwatched: (directory, error) =>
          log.warn(
            { err: error, directory },
            'the users file is not watched; it is polled instead',
          ),
        changed: () =>
          void live
            .noticed()
            .catch((error: unknown) =>
              log.error({ err: error, file: path }, 'the users file could not be read again'),
            ),
        ...(options.pollEvery !== undefined && { pollEvery: options.pollEvery }),
      })
    : undefined

  return {
    profile: (name) => roster().profiles.get(name),
    authenticate,
    async setPassword(name, password) {
      if (!roster().records.has(name)) throw new AppError('USER_UNKNOWN')
      const digest = await passwords.hash(password, '')
      await changeLoudly({ kind: 'password', name, digest })
    },
    isEmpty: () => roster().records.size === 0,
    async add(name, { displayName, groups, password }) {
      if (roster().records.has(name)) throw new AppError('USER_EXISTS')
      const digest = await passwords.hash(password, '')
      await changeLoudly({ kind: 'new', name, displayName, groups, digest })
    },
    reload: () => live.reload(true),
    onRemoved(listener) {
      listeners.push(listener)
    },
    directory: () => directoryOf(roster()),
    marks: () => marksOf(roster()),
    dearest: () => roster().dearest(),
    async close() {
      watcher?.close()
      await rehash?.close()
      await live.close()
    },
  }
}

const turnOf = (guard: Guard, name: string | undefined, login: string): Turn => ({
  ...guard.place(name ?? '', mailKey(name ?? login)),
  admit: () => guard.admit(name ?? ''),
  settle: (right) => guard.settle(right),
})

async function prepare(path: string): Promise<void> {
  try {
    await removeDrafts(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === '') throw error
    const problem = code === 'ENOENT' ? 'does not exist' : (REASONS[code] ?? `fails with ${code}`)
    throw new OperatorError(
      `the directory of the users file ${dirname(path)} ${problem}`,
      'make it, or set authentication_backend.file.path to another place',
      { cause: error },
    )
  }
}
