/** One change of one user, made in the file first and in force then. */
import { type Fault, formatFault } from '../../../../config/index.ts'
import { AppError } from '../../../../kernel/errors.ts'
import { invalidFields } from '../../invalid-fields.ts'
import {
  isLasting,
  lastAdministrator,
  type Standing,
  takesAdministrator,
} from '../../last-administrator.ts'
import type { Change } from './change.ts'
import type { CurrentUsers } from './current.ts'
import type { FieldValues } from './edit.ts'
import { USER_KEYS } from './fields.ts'
import type { FileWork } from './thread.ts'
import { UserRecord } from './user-index.ts'

/** A change of another process between our read and our rename starts the write over: so often. */
const MAX_ATTEMPTS = 5

interface Tools {
  readonly path: string
  readonly current: CurrentUsers
  readonly work: Pick<FileWork, 'change'>
  /** Groups of which one user who can sign in has to stay a member. */
  readonly administrators?: readonly string[] | undefined
}

/**
 * @param continues the mark of the digest in whose place this one was made from the same password
 * @returns false: the user has another digest than the one that was to be replaced
 * @throws AppError USER_UNKNOWN, USER_EXISTS, BODY_INVALID, USERS_UNWRITABLE
 */
export async function applyChange(
  change: Change,
  continues: string | undefined,
  { path, current, work, administrators }: Tools,
): Promise<boolean> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    await refuseTakenLogin(change, path, current)
    refuseLastAdministrator(change, administrators, current)
    const result = await work.change({ change, known: current.hash(), apart: current.apart() })
    switch (result.kind) {
      case 'stale':
        await catchUp(path, current)
        continue
      case 'outdated':
        return false
      case 'unknown':
        throw new AppError('USER_UNKNOWN')
      case 'exists':
        throw new AppError('USER_EXISTS')
      case 'invalid':
        throw invalid(result.faults)
      case 'unwritable':
        throw unwritable(path, result.reason, result.faults)
      case 'done':
        if (result.user === undefined) current.remove(change.name, result.hash)
        else current.put(new UserRecord(result.user, continues), result.hash)
        return true
      default:
        return result satisfies never
    }
  }
  throw unwritable(path, 'keeps changing')
}

/** @throws AppError BODY_INVALID when another user signs in with the name already */
async function refuseTakenLogin(
  { kind, name }: Change,
  path: string,
  current: CurrentUsers,
): Promise<void> {
  const holder = kind === 'new' ? current.index().holderOf(name) : undefined
  if (holder === undefined || holder === name) return
  // The name is taken in the users in force. The file may have changed since then: read it before refusing.
  await catchUp(path, current)
  if (current.index().holderOf(name) === holder)
    throw invalidFields([{ field: 'username', message: `is a login of ${holder} already` }])
}

/** What the file said against the user, by the names that callers know the fields by. */
function invalid(faults: readonly Fault[]): AppError {
  const fields = faults.map(({ path, message }) => {
    const [, key = ''] = /\.([a-z_]+)(?:\[\d+\])?$/.exec(path) ?? []
    const field = FIELD_NAMES[key] ?? (USER_KEYS.includes(key) ? key : 'username')
    return { field, message }
  })
  return invalidFields(fields)
}

const FIELD_NAMES: Readonly<Record<string, string>> = { displayname: 'display_name' }

/** @throws AppError USER_LAST_ADMINISTRATOR */
function refuseLastAdministrator(
  change: Change,
  groups: readonly string[] | undefined,
  current: CurrentUsers,
): void {
  const { records } = current.index()
  const account = records.get(change.name)
  if (groups === undefined || account === undefined) return
  const before = standingOf(account)
  const after = change.kind === 'fields' ? standingAfter(before, change.fields) : undefined
  if (!takesAdministrator(before, after, groups)) return
  for (const other of records.values())
    if (other !== account && isLasting(standingOf(other), groups)) return
  throw lastAdministrator()
}

const standingOf = ({ profile: { groups, expiresAt }, disabled }: UserRecord): Standing => ({
  ...{ groups, disabled },
  expires: expiresAt !== undefined,
})

function standingAfter(before: Standing, fields: FieldValues): Standing {
  const { groups } = fields
  return {
    groups: Array.isArray(groups) ? groups.map(String) : before.groups,
    disabled: 'disabled' in fields ? fields['disabled'] === true : before.disabled,
    expires: 'expires_at' in fields ? fields['expires_at'] !== undefined : before.expires,
  }
}

/** The file as it is on disk now, with what was edited by hand since it was read. @throws AppError USERS_UNWRITABLE */
async function catchUp(path: string, current: CurrentUsers): Promise<void> {
  const { result } = await current.load()
  if (result.ok) return
  const [first] = result.faults
  const whole = result.faults.length === 1 && first?.path === '' && first.line === undefined
  if (!whole) throw unwritable(path, 'has faults', result.faults)
  const { message } = first
  throw unwritable(path, message === 'does not exist' ? `${message} any more` : message)
}

const unwritable = (path: string, reason: string, faults: readonly Fault[] = []): AppError =>
  new AppError('USERS_UNWRITABLE', { file: path, reason, faults: faults.map(formatFault) })
