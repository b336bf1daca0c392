import { AppError } from '../../kernel/errors.ts'
import type { ApprovedPassword, Passwords } from '../passwords/index.ts'
import type { AccountFields, Found, UserBackend } from './backend.ts'

export interface NewUser extends AccountFields {
  readonly password: ApprovedPassword
}

/** Changes of users; each goes to the backend that has the user, as far as that backend takes it. */
export interface UserChanges {
  /**
   * Resolves when the change is stored and in force; listeners of `onInvalidated` have been told by then.
   * @param name canonical
   * @throws AppError USER_UNKNOWN, PASSWORD_UNUSABLE, HASHING_BUSY, USERS_UNWRITABLE
   */
  setPassword(name: string, password: ApprovedPassword): Promise<void>
  /**
   * Adds the user to the first backend that takes new ones.
   * @throws AppError USER_EXISTS, BODY_INVALID (`details.faults`), PASSWORD_UNUSABLE, HASHING_BUSY, USERS_UNWRITABLE
   */
  add(name: string, user: NewUser): Promise<void>
  /** @throws AppError USER_UNKNOWN, BODY_INVALID (`details.faults`), USERS_UNWRITABLE */
  change(name: string, fields: Partial<AccountFields & { disabled: boolean }>): Promise<void>
  /** @throws AppError USER_UNKNOWN, USERS_UNWRITABLE */
  remove(name: string): Promise<void>
}

export function createChanges({
  backends,
  lookUp,
  passwords,
}: {
  readonly backends: readonly UserBackend[]
  readonly lookUp: (name: string) => Promise<Found | undefined>
  readonly passwords: Pick<Passwords, 'hash'>
}): UserChanges {
  async function backendOf(name: string): Promise<UserBackend> {
    const found = await lookUp(name)
    if (found === undefined) throw new AppError('USER_UNKNOWN')
    return found.backend
  }

  return {
    async setPassword(name, password) {
      const { writing, name: backend } = await backendOf(name)
      if (writing === undefined) throw unwritable(backend, 'takes no new passwords')
      if (writing.kind === 'digest') {
        await writing.set(name, await passwords.hash(password.reveal(), ''))
      } else await writing.set(name, password.reveal())
    },
    async add(name, { password, ...fields }) {
      if ((await lookUp(name)) !== undefined) throw new AppError('USER_EXISTS')
      const creation = backends.find((backend) => backend.creation !== undefined)?.creation
      if (creation === undefined) throw unwritable('', 'no backend takes new users')
      await creation.add(name, { ...fields, digest: await passwords.hash(password.reveal(), '') })
    },
    async change(name, fields) {
      const { editing, name: backend } = await backendOf(name)
      if (editing === undefined) throw unwritable(backend, 'takes no changes of users')
      await editing.change(name, fields)
    },
    async remove(name) {
      const { removal, name: backend } = await backendOf(name)
      if (removal === undefined) throw unwritable(backend, 'removes no users')
      await removal.remove(name)
    },
  }
}

const unwritable = (backend: string, reason: string): AppError =>
  new AppError('USERS_UNWRITABLE', { backend, reason })
