/** A users file with one user changed: only that user's lines are read again. Pure. */
import type { Fault } from '../../../../config/index.ts'
import { formatPath } from '../../../../config/tree.ts'
import { printable } from '../../../../kernel/printable.ts'
import { markOf } from '../../password-marks.ts'
import { appendUser, type Edit, type FieldValues, replacePassword } from './edit.ts'
import { removeUser, setFields } from './edit-fields.ts'
import { BEFORE_PIECE, type ReadOptions, readWhole } from './read.ts'
import { nameIn, type Piece, piecesOf } from './scan.ts'
import { isOnlyChange, type UserRow } from './user-index.ts'
import type { YamlText } from './yaml.ts'

export type Change =
  | {
      readonly kind: 'password'
      readonly name: string
      readonly digest: string
      /** The mark of the digest in whose place it comes; when the user has another one, nothing is changed. */
      readonly insteadOf?: string
    }
  | {
      readonly kind: 'new'
      readonly name: string
      readonly digest: string
      readonly displayName: string
      readonly groups: readonly string[]
      readonly more?: FieldValues
    }
  | {
      readonly kind: 'fields'
      readonly name: string
      /** By the keys of a users file; undefined takes a key out. */
      readonly fields: FieldValues
      /** Of the user as it is expected; another one is not changed. */
      readonly version?: string | undefined
    }
  | { readonly kind: 'removed'; readonly name: string; readonly version?: string | undefined }

export type Changed =
  /** @param user undefined: removed */
  | { readonly kind: 'changed'; readonly text: string; readonly user: UserRow | undefined }
  /** The user has another digest, or another version, than the one that was to be replaced. */
  | { readonly kind: 'outdated' }
  | { readonly kind: 'unknown' }
  | { readonly kind: 'exists' }
  /** What was to be added is no user that a file may hold. */
  | { readonly kind: 'invalid'; readonly faults: readonly Fault[] }
  /** Why this text cannot be changed by a program, for the administrator. */
  | { readonly kind: 'refused'; readonly problem: string; readonly faults: readonly Fault[] }

/**
 * @param text has been read before, whole and without a fault
 * @param apart what that said: only what changes is read again
 */
export function changeUsers(
  text: string,
  change: Change,
  apart: boolean,
  options: ReadOptions,
): Changed {
  const pieces = apart ? piecesOf(text) : undefined
  const piece = pieces && pieceOf(text, pieces, change)
  if (pieces === undefined || piece === undefined) return changeWhole(text, change, options)
  const own = BEFORE_PIECE + text.slice(piece.start, piece.end)
  const changed = changeWhole(own, change, options)
  // Where the text is so odd that its own lines do not say all, the whole of it does.
  if (changed.kind === 'refused') return changeWhole(text, change, options)
  if (changed.kind !== 'changed') return changed
  return {
    ...changed,
    text:
      text.slice(0, piece.start) + changed.text.slice(BEFORE_PIECE.length) + text.slice(piece.end),
  }
}

/** The entry that changes, or the one behind which a new one comes; undefined when it is not easily told. */
function pieceOf(text: string, pieces: readonly Piece[], change: Change): Piece | undefined {
  if (change.kind === 'new') return pieces.at(-1)
  return pieces.find((piece) => nameIn(text, piece) === change.name)
}

function changeWhole(text: string, change: Change, options: ReadOptions): Changed {
  const refuse = (problem: string, faults: readonly Fault[] = []) =>
    ({ kind: 'refused', problem, faults }) as const
  const before = readWhole(text, options)
  if (!before.ok) return refuse('has faults', before.faults)
  const user = before.users.find(({ profile }) => profile.name === change.name)
  if (change.kind === 'new') {
    if (user !== undefined) return { kind: 'exists' }
  } else if (user === undefined) return { kind: 'unknown' }
  else if (isOutdated(change, user)) return { kind: 'outdated' }
  const edited = editOf(before.yaml, change)
  if (!edited.ok) return refuse(`must be changed by hand: ${edited.problem}`)
  const after = readWhole(edited.text, options)
  if (!after.ok)
    return change.kind === 'new' ||
      (change.kind === 'fields' && after.faults.every(isAbout(change.name)))
      ? { kind: 'invalid', faults: after.faults }
      : refuse('must be changed by hand', after.faults)
  const now = after.users.find(({ profile }) => profile.name === change.name)
  const isDone = isOnlyChange(before.users, after.users, change.name, markAfter(change, user))
  if (!isDone) return refuse(`must be changed by hand: others share what belongs to ${change.name}`)
  return { kind: 'changed', text: edited.text, user: now }
}

/** Whether a fault is about this user: what another one is said to be is no fault of the change that was asked for. */
function isAbout(name: string): (fault: Fault) => boolean {
  const path = printable(formatPath(['users', name]))
  return (fault) => fault.path === path || fault.path.startsWith(`${path}.`)
}

function isOutdated(change: Exclude<Change, { kind: 'new' }>, user: UserRow): boolean {
  if (change.kind === 'password') return (change.insteadOf ?? user.mark) !== user.mark
  return (change.version ?? user.fingerprint) !== user.fingerprint
}

/** The mark that the user has when the change is made; undefined: there is no such user then. */
function markAfter(change: Change, user: UserRow | undefined): string | undefined {
  switch (change.kind) {
    case 'removed':
      return undefined
    case 'fields': {
      const { password } = change.fields
      return typeof password === 'string' ? markOf(password) : user?.mark
    }
    default:
      return markOf(change.digest)
  }
}

function editOf(yaml: YamlText | undefined, change: Change): Edit {
  if (yaml === undefined) return { ok: false, problem: 'it cannot be read' }
  switch (change.kind) {
    case 'new':
      return appendUser(yaml, change.name, change)
    case 'password':
      return replacePassword(yaml, change.name, change.digest)
    case 'fields':
      return setFields(yaml, change.name, change.fields)
    case 'removed':
      return removeUser(yaml, change.name)
    default:
      return change satisfies never
  }
}
