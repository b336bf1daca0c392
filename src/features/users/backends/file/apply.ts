/** One change of one user, made in the file first and in force then. */
import { type Fault, formatFault } from '../../../../config/index.ts'
import { AppError } from '../../../../kernel/errors.ts'
import type { Change } from './change.ts'
import type { CurrentUsers } from './current.ts'
import type { FileWork } from './thread.ts'
import { UserRecord } from './user-index.ts'

/** A change of another process between our read and our rename starts the write over: so often. */
const MAX_ATTEMPTS = 5

interface Tools {
  readonly path: string
  readonly current: CurrentUsers
  readonly work: Pick<FileWork, 'change'>
}

/**
 * @param continues the mark of the digest in whose place this one was made from the same password
 * @returns false: the user has another digest than the one that was to be replaced
 * @throws AppError USER_UNKNOWN, USER_EXISTS, BODY_INVALID, USERS_UNWRITABLE
 */
export async function applyChange(
  change: Change,
  continues: string | undefined,
  { path, current, work }: Tools,
): Promise<boolean> {
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt++) {
    await refuseTakenLogin(change, path, current)
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
        throw new AppError('BODY_INVALID', { faults: result.faults.map(formatFault) })
      case 'unwritable':
        throw unwritable(path, result.reason, result.faults)
      case 'done':
        current.put(new UserRecord(result.user, continues), result.hash)
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
    throw new AppError('BODY_INVALID', { faults: [`the name is a login of ${holder} already`] })
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
