import { createHash } from 'node:crypto'
import { dirname } from 'node:path'
import type { BaseLogger } from 'pino'
import { type Fault, formatFault, formatFaults, formatNotice } from '../../../config/index.ts'
import { AppError } from '../../../kernel/errors.ts'
import { Refusal, systemCode } from '../../../kernel/refusal.ts'
import type { Digest, Passwords, Turn } from '../../passwords/index.ts'
import type { Authentication, Guard, ReloadResult, Users } from '../backend.ts'
import { createRehash } from '../rehash.ts'
import {
  createRoster,
  dearestOf,
  isOnlyChange,
  mailKey,
  marksOf,
  removedBetween,
  type Search,
  samePassword,
  type UserRecord,
} from '../roster.ts'
import { markOfText, type PasswordMarks } from '../store.ts'
import {
  isMountedAlone,
  REASONS,
  readFileText,
  removeDrafts,
  replaceFile,
} from '../users-file/disk.ts'
import type { Edit } from '../users-file/edit.ts'
import type { ExtraAttributes } from '../users-file/fields.ts'
import type { ReadOptions, UsersText } from '../users-file/read.ts'
import { watchFile } from '../users-file/watch.ts'
import type { YamlText } from '../users-file/yaml.ts'

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
}

/** Somebody else's change between our read and our rename starts the write over: so often. */
const MAX_ATTEMPTS = 5
const MAX_LOGGED_FAULTS = 20

/**
 * Users in a YAML file that people edit too. What is in force is in memory; every change goes to the file first.
 * @throws Refusal when the file is wrong or cannot be read
 */
export async function openFileUsers(options: FileUsersOptions): Promise<Users> {
  const { path, search, extraAttributes, separator, passwords, log } = options
  const readOptions: ReadOptions = { source: path, separator, search, extraAttributes }
  const listeners: ((names: readonly string[]) => void)[] = []
  let roster = createRoster([], search)
  let revision = revisionOf('')
  /** The text that was refused last: the watcher may come back to it, the log need not. */
  let refused = ''
  let work: Promise<unknown> = Promise.resolve()

  /** One at a time: a reload must not read what a change is about to replace. */
  function serial<T>(job: () => Promise<T>): Promise<T> {
    const result = work.then(job)
    work = result.catch(() => undefined) // said to whoever asked for it
    return result
  }

  /** Loaded when there is something to read: a first start has no users file. */
  async function read(text: string): Promise<UsersText> {
    const { readUsers } = await import('../users-file/read.ts')
    return readUsers(text, readOptions)
  }

  function take(text: string, users: readonly UserRecord[]): void {
    const before = roster
    roster = createRoster(users, search, before)
    revision = revisionOf(text)
    const removed = removedBetween(before, roster)
    if (removed.length > 0) for (const listener of listeners) listener(removed)
    void options.marks
      ?.observe(marksOf(roster))
      .catch((error: unknown) => log.error({ err: error }, 'who has joined could not be noted'))
  }

  /** Reads the file again and says what is wrong with it: to whoever asked each time, else once for each text. */
  async function reload(asked: boolean): Promise<ReloadResult> {
    const { text, result } = await load()
    if (result.ok) refused = ''
    else if (asked || refused !== revisionOf(text)) {
      refused = revisionOf(text)
      for (const fault of result.faults.slice(0, MAX_LOGGED_FAULTS)) {
        const { source, line, column } = fault
        log.error({ source, line, column }, formatFault(fault))
      }
      log.error(
        { file: path, faults: result.faults.length, users: roster.records.size, revision },
        `the users file was not taken up: revision ${revision} stays in force`,
      )
    }
    return result
  }

  async function load(): Promise<{ readonly text: string; readonly result: ReloadResult }> {
    const file = await readFileText(path)
    const isNew = roster.records.size === 0
    const text = file.kind === 'text' ? file.text : ''
    const refuse = (faults: readonly Fault[]) => ({ text, result: { ok: false, faults } as const })
    const refuseFile = (message: string) => refuse([{ source: path, path: '', message }])
    if (file.kind === 'refused') return refuseFile(file.problem)
    if (file.kind === 'missing' && !isNew) return refuseFile('does not exist')
    if (revisionOf(text) !== revision) {
      // Somebody's editor has emptied it and is about to fill it; and if not, that is no reason to lock everybody out.
      if (text.trim() === '' && !isNew) return refuseFile('is empty')
      const found = await read(text)
      if (!found.ok) return refuse(found.faults)
      for (const warning of found.warnings) log.warn({ file: path }, formatNotice(warning))
      take(text, found.users)
    }
    return { text, result: { ok: true, users: roster.records.size, revision } }
  }

  async function noticed(): Promise<void> {
    const before = revision
    const result = await reload(false)
    if (result.ok && result.revision !== before)
      log.info(
        { file: path, users: result.users, revision },
        'the users file changed and is taken up',
      )
  }

  function unwritable(reason: string, cause?: unknown, faults: readonly Fault[] = []): AppError {
    const details = { file: path, reason, faults: faults.map(formatFault) }
    return new AppError('USERS_UNWRITABLE', details, { cause })
  }

  /** The file as it is on disk now, with whatever was edited by hand since we read it. */
  async function current() {
    const file = await readFileText(path)
    const isNew = roster.records.size === 0
    if (file.kind === 'refused') throw unwritable(file.problem)
    if (file.kind === 'missing' && !isNew) throw unwritable('does not exist any more')
    const text = file.kind === 'text' ? file.text : ''
    if (text.trim() === '' && !isNew) throw unwritable('is empty')
    const found = await read(text)
    if (!found.ok) throw unwritable('has faults', undefined, found.faults)
    return { ...found, text, stamp: file.kind === 'text' ? file.stamp : undefined }
  }

  /**
   * Changes the user `name` and nobody else. Without an edit there is nothing to do.
   * @param digest that the user must have afterwards
   * @param madeFrom the digest in whose place it was made from the same password
   */
  function change(
    name: string,
    digest: string,
    edit: (yaml: YamlText, user: UserRecord | undefined) => Promise<Edit | undefined>,
    madeFrom?: Digest,
  ): Promise<void> {
    return serial(async () => {
      for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
        const { users, yaml, stamp } = await current()
        const user = users.find(({ profile }) => profile.name === name)
        const edited = await edit(yaml, user)
        if (edited === undefined) return
        if (!edited.ok) throw unwritable(`must be changed by hand: ${edited.problem}`)
        const after = await read(edited.text)
        if (!after.ok)
          throw user !== undefined
            ? unwritable('must be changed by hand', undefined, after.faults)
            : new AppError('BODY_INVALID', { faults: after.faults.map(formatFault) })
        if (!isOnlyChange(users, after.users, name, digest))
          throw unwritable(`must be changed by hand: others share what belongs to ${name}`)
        if ((await write(edited.text, stamp)) === 'changed') continue
        take(
          edited.text,
          madeFrom === undefined
            ? after.users
            : after.users.map((one) => (one.profile.name === name ? { ...one, madeFrom } : one)),
        )
        return
      }
      throw unwritable('keeps changing')
    })
  }

  /** For a change that somebody asked for: whoever can mend it is told. */
  async function changeLoudly(...given: Parameters<typeof change>): Promise<void> {
    try {
      await change(...given)
    } catch (error) {
      if (error instanceof AppError && error.code === 'USERS_UNWRITABLE') {
        const { reason } = error.details
        log.error({ file: path, reason }, `the users file cannot be changed: it ${reason}`)
      }
      throw error
    }
  }

  async function write(text: string, stamp: string | undefined) {
    try {
      return await replaceFile(path, text, stamp)
    } catch (error) {
      const code = systemCode(error)
      if (code === '') throw error
      throw unwritable(REASONS[code] ?? `cannot be written (${code})`, error)
    }
  }

  const rehash =
    options.rehash === true ? createRehash({ passwords, replace: replaceDigest, log }) : undefined

  async function replaceDigest(name: string, old: Digest, text: string): Promise<void> {
    await change(
      name,
      text,
      async (yaml, user) => {
        // Another password was set meanwhile, here or by hand: this one is not to come back.
        if (user?.digest.text.reveal() !== old.text.reveal()) return undefined
        const { replacePassword } = await import('../users-file/edit.ts')
        await options.marks?.expect(name, markOfText(text))
        return replacePassword(yaml, name, text)
      },
      old,
    )
    await options.marks?.settle([name], marksOf(roster))
  }

  async function authenticate(
    login: string,
    password: string,
    client: string,
    guard?: Guard,
  ): Promise<Authentication> {
    const record = roster.find(login)
    const usable = record !== undefined && !record.disabled
    const turn = guard && turnOf(guard, record?.profile.name, login)
    let matches = false
    if (usable) matches = await passwords.verify(record.digest, password, client, turn)
    else await passwords.burn(password, client, turn)
    if (record === undefined) return { kind: 'refused', name: '', reason: 'unknown' }
    const { name } = record.profile
    // Hashing takes a while; what was changed meanwhile is in force.
    const now = roster.records.get(name)
    if (now === undefined) return { kind: 'refused', name: '', reason: 'unknown' }
    if (!usable || now.disabled) return { kind: 'refused', name, reason: 'disabled' }
    if (!matches || !samePassword(record, now)) return { kind: 'refused', name, reason: 'password' }
    rehash?.offer(name, record.digest, password)
    return { kind: 'accepted', profile: now.profile }
  }

  await prepare(path)
  const { result: first } = await load()
  if (!first.ok) throw new Refusal(`the users file is refused\n${formatFaults(first.faults)}`)
  if (await isMountedAlone(path))
    log.warn(
      { file: path },
      'the users file is mounted by itself: no password can be changed here, and changes may go unnoticed; mount its directory',
    )
  const watcher = options.watch
    ? watchFile({
        path,
        log,
        changed: () =>
          void serial(noticed).catch((error: unknown) =>
            log.error({ err: error, file: path }, 'the users file could not be read again'),
          ),
        ...(options.pollEvery !== undefined && { pollEvery: options.pollEvery }),
      })
    : undefined

  return {
    profile: (name) => roster.profiles.get(name),
    authenticate,
    async setPassword(name, password) {
      if (!roster.records.has(name)) throw new AppError('USER_UNKNOWN')
      const digest = await passwords.hash(password, '')
      await changeLoudly(name, digest, async (yaml, user) => {
        if (user === undefined) throw new AppError('USER_UNKNOWN')
        const { replacePassword } = await import('../users-file/edit.ts')
        return replacePassword(yaml, name, digest)
      })
    },
    isEmpty: () => roster.records.size === 0,
    async add(name, { displayName, groups, password }) {
      if (roster.records.has(name)) throw new AppError('USER_EXISTS')
      const digest = await passwords.hash(password, '')
      await changeLoudly(name, digest, async (yaml, user) => {
        if (user !== undefined) throw new AppError('USER_EXISTS')
        const { appendUser } = await import('../users-file/edit.ts')
        return appendUser(yaml, name, { displayName, groups, digest })
      })
    },
    reload: () => serial(() => reload(true)),
    onRemoved(listener) {
      listeners.push(listener)
    },
    marks: () => marksOf(roster),
    dearest: () => dearestOf(roster),
    async close() {
      watcher?.close()
      await rehash?.close()
      await work
    },
  }
}

const turnOf = (guard: Guard, name: string | undefined, login: string): Turn => ({
  ...guard.place(name ?? '', mailKey(name ?? login)),
  admit: () => guard.admit(name ?? ''),
  settle: (right) => guard.settle(right),
})

/** Twelve hex digits that change with the text. */
const revisionOf = (text: string): string =>
  createHash('sha256').update(text).digest('hex').slice(0, 12)

async function prepare(path: string): Promise<void> {
  try {
    await removeDrafts(path)
  } catch (error) {
    const code = systemCode(error)
    if (code === '') throw error
    const problem = code === 'ENOENT' ? 'does not exist' : (REASONS[code] ?? `fails with ${code}`)
    throw new Refusal(
      `the directory of the users file ${dirname(path)} ${problem}`,
      'make it, or set authentication_backend.file.path to another place',
      { cause: error },
    )
  }
}
