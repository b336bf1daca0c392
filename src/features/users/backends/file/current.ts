import type { BaseLogger } from 'pino'
import { type Fault, formatNotice } from '../../../../config/index.ts'
import type { AccountsChange, ReloadResult } from '../../backend.ts'
import type { ReadOptions } from './read.ts'
import type { FileWork } from './thread.ts'
import {
  createUserIndex,
  isInvalidated,
  succeed,
  type UserIndex,
  type UserRecord,
} from './user-index.ts'
import { type Loaded, NOTHING } from './work.ts'

/** The users in force, and which text of the file they were read from. One call at a time. */
export interface CurrentUsers {
  index(): UserIndex
  /** The hash of the text; NOTHING when there is no file. */
  hash(): string
  /** Whether each user stands apart in the text (read.ts): then a change reads one user's lines alone. */
  apart(): boolean
  /** Reads the file if it is another one. @returns also the hash of the text that was found, or why there is none */
  load(): Promise<{ readonly found: string; readonly result: ReloadResult }>
  /** One user was changed in the file, whose text has this hash now. */
  put(record: UserRecord, hash: string): void
  /** One user was taken out of the file, whose text has this hash now. */
  remove(name: string, hash: string): void
}

export interface CurrentOptions {
  readonly path: string
  readonly read: ReadOptions
  readonly work: Pick<FileWork, 'load'>
  /** Told when other users are in force. */
  readonly changed: (change: AccountsChange) => void
  readonly log: Pick<BaseLogger, 'warn'>
}

export function createCurrentUsers({
  path,
  read: { search },
  work,
  changed,
  log,
}: CurrentOptions): CurrentUsers {
  let index = createUserIndex(search)
  let hash = NOTHING
  let apart = false

  return {
    index: () => index,
    hash: () => hash,
    apart: () => apart,
    async load() {
      const next = succeed(index, search)
      const loaded = await work.load(hash, next.add)
      const faults = faultsOf(loaded, path, index.records.size === 0)
      if (faults !== undefined) {
        const found = 'hash' in loaded ? loaded.hash : loaded.kind
        return { found, result: { ok: false, faults } }
      }
      if (loaded.kind === 'users') {
        for (const warning of loaded.warnings) log.warn({ file: path }, formatNotice(warning))
        const { index: now, ...difference } = next.end()
        index = now
        hash = loaded.hash
        apart = loaded.apart
        changed({ ...difference, accounts: now.records.values() })
      } else if (loaded.kind !== 'same') hash = loaded.kind === 'empty' ? loaded.hash : NOTHING
      const users = index.records.size
      return { found: hash, result: { ok: true, users, revision: revisionOf(hash) } }
    },
    put(record, written) {
      const { name } = record.profile
      const before = index.records.get(name)
      hash = written
      index.put(record)
      changed({
        invalidated: before !== undefined && isInvalidated(before, record) ? [name] : [],
        added: before === undefined ? [name] : [],
        accounts: [record],
      })
    },
    remove(name, written) {
      const before = index.records.get(name)
      hash = written
      index.remove(name)
      const invalidated = before?.disabled === false ? [name] : []
      changed({ invalidated, added: [], accounts: [] })
    },
  }
}

/** Twelve hex digits that change with the text. */
export const revisionOf = (hash: string): string => hash.slice(0, 12)

/** Why what was read cannot be in force. @param isNew there were no users before */
function faultsOf(loaded: Loaded, path: string, isNew: boolean): readonly Fault[] | undefined {
  const fault = (message: string) => [{ source: path, path: '', message }]
  switch (loaded.kind) {
    case 'faults':
      return loaded.faults
    case 'unreadable':
      return fault(loaded.problem)
    case 'missing':
      return isNew ? undefined : fault('does not exist')
    case 'empty':
      // An editor has emptied it and is about to fill it; and if not, that is no reason to lock all users out.
      return isNew ? undefined : fault('is empty')
    default:
      return undefined
  }
}
