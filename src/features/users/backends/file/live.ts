/**
 * The users in force, kept in step with the file: what is in force is in memory, every change goes to the file first, and
 * what stands in the file is taken up whole or not at all.
 */
import type { BaseLogger } from 'pino'
import { type Fault, formatFault } from '../../../../config/index.ts'
import type { AccountsChange, ReloadResult } from '../../backend.ts'
import { applyChange } from './apply.ts'
import type { Change } from './change.ts'
import { createCurrentUsers, revisionOf } from './current.ts'
import type { ReadOptions } from './read.ts'
import { createFileWork } from './thread.ts'
import type { UserIndex } from './user-index.ts'

export interface LiveOptions {
  readonly path: string
  readonly read: ReadOptions
  /** Told when other users are in force. */
  readonly changed: (change: AccountsChange) => void
  readonly log: Pick<BaseLogger, 'error' | 'warn' | 'info'>
}

export interface ChangeOptions {
  /** The mark of the digest in whose place this one was made from the same password. */
  readonly continues?: string
  /** Groups of which one user who can sign in has to stay a member. */
  readonly administrators?: readonly string[] | undefined
}

export interface LiveUsers {
  /** What is in force. */
  index(): UserIndex
  /** Reads the file if it is another one, and logs nothing about what is wrong with it. */
  load(): Promise<ReloadResult>
  /** The same, and logs what is wrong. */
  reload(): Promise<ReloadResult>
  /** As `reload`, when the file may have changed: logs faults once for each text, and also that it was taken up. */
  noticed(): Promise<void>
  /**
   * Resolves when the change is on disk and in force.
   * @returns false: the user has another digest or version than the one that was to be replaced
   * @throws AppError USER_UNKNOWN, USER_EXISTS, USER_LAST_ADMINISTRATOR, BODY_INVALID, USERS_UNWRITABLE
   */
  change(change: Change, more?: ChangeOptions): Promise<boolean>
  /** Resolves when nothing is under way. */
  close(): Promise<void>
}

const MAX_LOGGED_FAULTS = 20

export function createLiveUsers({ path, read, changed, log }: LiveOptions): LiveUsers {
  const work = createFileWork(path, read)
  const current = createCurrentUsers({ path, read, work, changed, log })
  /** The text that was refused last: the watcher may come back to it, the log need not. */
  let refused = ''
  let queue: Promise<unknown> = Promise.resolve()

  /** One at a time: a reload must not read what a change is about to replace. */
  function serial<T>(job: () => Promise<T>): Promise<T> {
    const result = queue.then(job)
    queue = result.catch(() => undefined) // the caller of `serial` gets the error
    return result
  }

  function logRefused(faults: readonly Fault[]): void {
    for (const fault of faults.slice(0, MAX_LOGGED_FAULTS)) {
      const { source, line, column } = fault
      log.error({ source, line, column }, formatFault(fault))
    }
    const revision = revisionOf(current.hash())
    log.error(
      { file: path, faults: faults.length, users: current.index().records.size, revision },
      `the users file was not taken up: revision ${revision} stays in force`,
    )
  }

  async function reload(asked: boolean): Promise<ReloadResult> {
    const { found, result } = await current.load()
    if (result.ok) refused = ''
    else if (asked || refused !== found) {
      refused = found
      logRefused(result.faults)
    }
    return result
  }

  async function noticed(): Promise<void> {
    const before = current.hash()
    const result = await reload(false)
    if (result.ok && current.hash() !== before)
      log.info(
        { file: path, users: result.users, revision: result.revision },
        'the users file changed and is taken up',
      )
  }

  return {
    index: current.index,
    load: () => serial(async () => (await current.load()).result),
    reload: () => serial(() => reload(true)),
    noticed: () => serial(noticed),
    change: (change, { continues, administrators } = {}) =>
      serial(() => applyChange(change, continues, { path, current, work, administrators })),
    async close() {
      await queue
      await work.close()
    },
  }
}
