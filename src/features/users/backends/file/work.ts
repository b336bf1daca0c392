/**
 * What is done with the whole text of a users file: reading it, and changing one user in it. Runs on the event loop for a
 * small file and in a thread of its own for a large one (thread.ts): everything that goes in and comes out can be cloned.
 */
import type { Fault, Notice } from '../../../../config/index.ts'
import { replaceFile } from '../../../../files/atomic-write.ts'
import { systemCode } from '../../../../kernel/operator-error.ts'
import type { Change } from './change.ts'
import { hashOf, REASONS, readFileText } from './disk.ts'
import type { ReadOptions } from './read.ts'
import type { UserRow } from './user-index.ts'

/** The hash of no file, and of an empty one. */
export const NOTHING = hashOf('')

export type Loaded =
  | { readonly kind: 'same' }
  | { readonly kind: 'missing' }
  /** It cannot be read as a file. */
  | { readonly kind: 'unreadable'; readonly problem: string }
  | { readonly kind: 'empty'; readonly hash: string }
  | { readonly kind: 'faults'; readonly hash: string; readonly faults: readonly Fault[] }
  | {
      readonly kind: 'users'
      readonly hash: string
      readonly users: readonly UserRow[]
      readonly warnings: readonly Notice[]
      readonly apart: boolean
    }

/** @param known the hash of the text whose users are known already */
export async function loadFile(path: string, known: string, options: ReadOptions): Promise<Loaded> {
  const file = await readFileText(path)
  if (file.kind === 'missing') return file
  if (file.kind === 'refused') return { kind: 'unreadable', problem: file.problem }
  const { text, hash } = file
  if (hash === known) return { kind: 'same' }
  if (text.trim() === '') return { kind: 'empty', hash }
  // Loaded when there is something to read: a first start has no users file.
  const { readUsers } = await import('./read.ts')
  const read = readUsers(text, options)
  return read.ok
    ? { kind: 'users', hash, users: read.users, warnings: read.warnings, apart: read.apart }
    : { kind: 'faults', hash, faults: read.faults }
}

export interface ChangeJob {
  readonly change: Change
  /** The hash of the text that was read: no other is changed. NOTHING when there is no file. */
  readonly known: string
  /** What reading it said. */
  readonly apart: boolean
}

export type ChangeResult =
  /** @param user undefined: removed */
  | { readonly kind: 'done'; readonly hash: string; readonly user: UserRow | undefined }
  /** The file is another one by now: it has to be loaded first. */
  | { readonly kind: 'stale' }
  | { readonly kind: 'outdated' | 'unknown' | 'exists' }
  | { readonly kind: 'invalid'; readonly faults: readonly Fault[] }
  | { readonly kind: 'unwritable'; readonly reason: string; readonly faults: readonly Fault[] }

/** Changes one user in the file. Another process's change is never lost: what was read is what is replaced. */
export async function changeFile(
  path: string,
  { change, known, apart }: ChangeJob,
  options: ReadOptions,
): Promise<ChangeResult> {
  const file = await readFileText(path)
  if (file.kind === 'refused') return { kind: 'unwritable', reason: file.problem, faults: [] }
  const found = file.kind === 'text' ? file : { text: '', hash: NOTHING, stamp: undefined }
  if (found.hash !== known) return { kind: 'stale' }
  const { changeUsers } = await import('./change.ts')
  const changed = changeUsers(found.text, change, apart, options)
  if (changed.kind === 'refused')
    return { kind: 'unwritable', reason: changed.problem, faults: changed.faults }
  if (changed.kind !== 'changed') return changed
  try {
    if ((await replaceFile(path, changed.text, found.stamp)) === 'changed') return { kind: 'stale' }
  } catch (error) {
    const code = systemCode(error)
    if (code === '') throw error
    const reason = REASONS[code] ?? `cannot be written (${code})`
    return { kind: 'unwritable', reason, faults: [] }
  }
  return { kind: 'done', hash: hashOf(changed.text), user: changed.user }
}
