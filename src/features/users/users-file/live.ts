/**
 * The users in force, kept in step with the file: what is in force is in memory, every change goes to the file first, and
 * what stands in the file is taken up whole or not at all.
 */
import type { BaseLogger } from 'pino'
import { type Fault, formatFault, formatNotice } from '../../../config/index.ts'
import { AppError } from '../../../kernel/errors.ts'
import type { ReloadResult } from '../backend.ts'
import { createRoster, isRemoved, type Roster, succeed, UserRecord } from '../roster.ts'
import type { Change } from './change.ts'
import type { ReadOptions } from './read.ts'
import { createFileWork } from './thread.ts'
import { type Loaded, NOTHING } from './work.ts'

export interface LiveOptions {
  readonly path: string
  readonly read: ReadOptions
  /** Told when other users are in force: who has to be signed out, and the roster, or what of it is new. */
  readonly taken: (removed: readonly string[], now: Roster, changed: UserRecord | undefined) => void
  readonly log: Pick<BaseLogger, 'error' | 'warn' | 'info'>
}

export interface LiveUsers {
  /** What is in force. */
  roster(): Roster
  /** Reads the file if it is another one, and says nothing about what is wrong with it. */
  load(): Promise<ReloadResult>
  /** The same, and says what is wrong: each time when asked, else once for each text. */
  reload(asked: boolean): Promise<ReloadResult>
  /** As `reload`, when the file may have changed; says also that it was taken up. */
  noticed(): Promise<void>
  /**
   * Resolves when the change is on disk and in force.
   * @param madeFrom the mark of the digest in whose place this one was made from the same password
   * @returns false: the user has another digest than the one that was to be replaced
   * @throws AppError USER_UNKNOWN, USER_EXISTS, BODY_INVALID, USERS_UNWRITABLE
   */
  change(change: Change, madeFrom?: string): Promise<boolean>
  /** Resolves when nothing is under way. */
  close(): Promise<void>
}

/** A change of another process between our read and our rename starts the write over: so often. */
const MAX_ATTEMPTS = 5
const MAX_LOGGED_FAULTS = 20

export function createLiveUsers({ path, read, taken, log }: LiveOptions): LiveUsers {
  const { search } = read
  const work = createFileWork(path, read)
  let roster = createRoster(search)
  let hash = NOTHING
  let apart = false
  /** The text that was refused last: the watcher may come back to it, the log need not. */
  let refused = ''
  let queue: Promise<unknown> = Promise.resolve()

  /** One at a time: a reload must not read what a change is about to replace. */
  function serial<T>(job: () => Promise<T>): Promise<T> {
    const result = queue.then(job)
    queue = result.catch(() => undefined) // said to the caller of `serial`
    return result
  }

  async function loadNow(): Promise<{ readonly hash: string; readonly result: ReloadResult }> {
    const next = succeed(roster, search)
    const loaded = await work.load(hash, next.add)
    const problem = problemOf(loaded, roster.records.size === 0)
    if (problem !== undefined) {
      const found = 'hash' in loaded ? loaded.hash : loaded.kind
      return { hash: found, result: { ok: false, faults: problem } }
    }
    if (loaded.kind === 'users') {
      for (const warning of loaded.warnings) log.warn({ file: path }, formatNotice(warning))
      const { roster: now, removed } = next.end()
      roster = now
      hash = loaded.hash
      apart = loaded.apart
      taken(removed, now, undefined)
    } else if (loaded.kind !== 'same') hash = loaded.kind === 'empty' ? loaded.hash : NOTHING
    return { hash, result: { ok: true, users: roster.records.size, revision: revisionOf(hash) } }
  }

  /** What keeps it from being taken up. */
  function problemOf(loaded: Loaded, isNew: boolean): readonly Fault[] | undefined {
    const fault = (message: string) => [{ source: path, path: '', message }]
    switch (loaded.kind) {
      case 'faults':
        return loaded.faults
      case 'unreadable':
        return fault(loaded.problem)
      case 'missing':
        return isNew ? undefined : fault('does not exist')
      case 'empty':
        // An editor has emptied it and is about to fill it; and if not, that is no reason to lock everybody out.
        return isNew ? undefined : fault('is empty')
      default:
        return undefined
    }
  }

  async function reload(asked: boolean): Promise<ReloadResult> {
    const { hash: found, result } = await loadNow()
    if (result.ok) refused = ''
    else if (asked || refused !== found) {
      refused = found
      for (const fault of result.faults.slice(0, MAX_LOGGED_FAULTS)) {
        const { source, line, column } = fault
        log.error({ source, line, column }, formatFault(fault))
      }
      const revision = revisionOf(hash)
      log.error(
        { file: path, faults: result.faults.length, users: roster.records.size, revision },
        `the users file was not taken up: revision ${revision} stays in force`,
      )
    }
    return result
  }

  async function noticed(): Promise<void> {
    const before = hash
    const result = await reload(false)
    if (result.ok && hash !== before)
      log.info(
        { file: path, users: result.users, revision: result.revision },
        'the users file changed and is taken up',
      )
  }

  /** The file as it is on disk now, with what was edited by hand since we read it. */
  async function catchUp(): Promise<void> {
    const { result } = await loadNow()
    if (result.ok) return
    const [first] = result.faults
    const whole = result.faults.length === 1 && first?.path === '' && first.line === undefined
    throw whole
      ? unwritable(first.message === 'does not exist' ? `${first.message} any more` : first.message)
      : unwritable('has faults', result.faults)
  }

  function unwritable(reason: string, faults: readonly Fault[] = []): AppError {
    return new AppError('USERS_UNWRITABLE', { file: path, reason, faults: faults.map(formatFault) })
  }

  async function changeNow(change: Change, madeFrom: string | undefined): Promise<boolean> {
    for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
      const holder = change.kind === 'new' ? roster.holderOf(change.name) : undefined
      // Of what is in force; where the file is another one by now, it says so itself.
      if (holder !== undefined && holder !== change.name) {
        await catchUp()
        if (roster.holderOf(change.name) === holder)
          throw new AppError('BODY_INVALID', {
            faults: [`the name is a login of ${holder} already`],
          })
      }
      const result = await work.change({ change, known: hash, apart })
      switch (result.kind) {
        case 'stale':
          await catchUp()
          continue
        case 'outdated':
          return false
        case 'unknown':
          throw new AppError('USER_UNKNOWN')
        case 'exists':
          throw new AppError('USER_EXISTS')
        case 'invalid':
          throw new AppError('BODY_INVALID', { faults: result.faults.map(formatFault) })
        case 'unwritable':
          throw unwritable(result.reason, result.faults)
        case 'done': {
          hash = result.hash
          const before = roster.records.get(change.name)
          const record = new UserRecord(result.user, madeFrom)
          roster.put(record)
          const removed = before !== undefined && isRemoved(before, record) ? [change.name] : []
          taken(removed, roster, record)
          return true
        }
        default:
          return result satisfies never
      }
    }
    throw unwritable('keeps changing')
  }

  return {
    roster: () => roster,
    load: () => serial(async () => (await loadNow()).result),
    reload: (asked) => serial(() => reload(asked)),
    noticed: () => serial(noticed),
    change: (change, madeFrom) => serial(() => changeNow(change, madeFrom)),
    async close() {
      await queue
      await work.close()
    },
  }
}

/** Twelve hex digits that change with the text. */
const revisionOf = (hash: string): string => hash.slice(0, 12)
