import { dirname } from 'node:path'
import type { BaseLogger } from 'pino'
import { formatFaults } from '../../../../config/index.ts'
import { removeDrafts } from '../../../../files/atomic-write.ts'
import { watchFiles } from '../../../../files/watcher.ts'
import { AppError } from '../../../../kernel/errors.ts'
import { OperatorError, systemCode } from '../../../../kernel/operator-error.ts'
import type { AccountsChange, Condition, UserBackend } from '../../backend.ts'
import { searchListed } from '../../search-listed.ts'
import type { Change } from './change.ts'
import { isMountedAlone, REASONS } from './disk.ts'
import type { ExtraAttributes } from './fields.ts'
import { createLiveUsers, type LiveUsers } from './live.ts'
import type { Search } from './user-index.ts'
import { written } from './written.ts'

export interface FileUsersOptions {
  /** Absolute. There may be no such file yet; its directory exists. */
  readonly path: string
  readonly watch: boolean
  readonly search: Search
  readonly extraAttributes: ExtraAttributes
  /** What joins the groups in the identity header. */
  readonly separator: string
  readonly log: Pick<BaseLogger, 'error' | 'warn' | 'info'>
  /** Milliseconds between two polls of the file when its directory reports nothing. */
  readonly pollEvery?: number
  /** How long a changed file has to stay the same before it is read, in milliseconds. */
  readonly rest?: number
}

/** An editor that writes in place is done when the file is the same twice, this many milliseconds apart. */
const REST = 60

/**
 * Users in a YAML file that people edit too (live.ts).
 * @throws OperatorError when the file is wrong or cannot be read
 */
export async function openFileUsers(options: FileUsersOptions): Promise<UserBackend> {
  const { path, search, extraAttributes, separator, log } = options
  const listeners: ((change: AccountsChange) => void)[] = []
  const live = createLiveUsers({
    path,
    read: { source: path, separator, search, extraAttributes },
    changed(change) {
      for (const listener of listeners) listener(change)
    },
    log,
  })
  const { index } = live

  await prepare(path)
  const first = await live.load()
  if (!first.ok) throw new OperatorError(`the users file is refused\n${formatFaults(first.faults)}`)
  if (await isMountedAlone(path))
    log.warn(
      { file: path },
      'the users file is mounted by itself: no password can be changed here, and changes may go unnoticed; mount its directory',
    )
  const watcher = options.watch ? watch(live, options) : undefined

  return {
    name: 'file',
    profile: (name) => index().profiles.get(name),
    byName: (name) => index().records.get(name),
    byLogin: (login) => index().find(login),
    isEmpty: () => index().records.size === 0,
    list: () => index().records.values(),
    costliest: () => index().costliest(),
    onChange(listener) {
      listeners.push(listener)
    },
    reload: live.reload,
    search: (query) => searchListed(index().names(), (name) => index().records.get(name), query),
    ...changesOf(live, options),
    async close() {
      watcher?.close()
      await live.close()
    },
  }
}

/** What the file may be asked to change. */
function changesOf(
  live: LiveUsers,
  options: FileUsersOptions,
): Required<Pick<UserBackend, 'writing' | 'creation' | 'editing' | 'removal'>> {
  const ask = (change: Change, condition: Condition = {}) =>
    changeAsAsked(live, change, condition, options)
  return {
    writing: {
      kind: 'digest',
      set: (name, password, mustChange, condition) => {
        const fields = { password, ...written({ mustChangePassword: mustChange }) }
        return ask({ kind: 'fields', name, fields, version: condition?.version })
      },
      renew: (name, digest, mark) =>
        live.change({ kind: 'password', name, digest, insteadOf: mark }, { continues: mark }),
    },
    creation: {
      add: (name, { displayName, groups, digest, ...more }) =>
        ask({ kind: 'new', name, displayName, groups, digest, more: written(more) }),
    },
    editing: {
      change: (name, fields, condition = {}) =>
        ask(
          { kind: 'fields', name, fields: written(fields), version: condition.version },
          condition,
        ),
    },
    removal: {
      remove: (name, condition = {}) =>
        ask({ kind: 'removed', name, version: condition.version }, condition),
    },
  }
}

/** For a change that was asked for: the log tells the operator why it is impossible. */
async function changeAsAsked(
  live: LiveUsers,
  change: Change,
  { administrators }: Condition,
  { path, log }: Pick<FileUsersOptions, 'path' | 'log'>,
): Promise<void> {
  try {
    if (!(await live.change(change, { administrators }))) throw new AppError('USER_CHANGED')
  } catch (error) {
    if (error instanceof AppError && error.code === 'USERS_UNWRITABLE') {
      const { reason } = error.details
      log.error({ file: path, reason }, `the users file cannot be changed: it ${reason}`)
    }
    throw error
  }
}

function watch(live: LiveUsers, { path, rest = REST, pollEvery, log }: FileUsersOptions) {
  return watchFiles({
    files: () => [path],
    rest,
    unwatched: (directory, error) =>
      log.warn({ err: error, directory }, 'the users file is not watched; it is polled instead'),
    changed: () =>
      void live
        .noticed()
        .catch((error: unknown) =>
          log.error({ err: error, file: path }, 'the users file could not be read again'),
        ),
    ...(pollEvery !== undefined && { pollEvery }),
  })
}

/** @throws OperatorError when the directory of the file cannot be used */
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
