import { randomBytes } from 'node:crypto'
import { AppError } from '../../kernel/errors.ts'
import type { ApprovedPassword, Passwords } from '../passwords/index.ts'
import type { AccountFields, Condition, Found, NewFields, UserBackend } from './backend.ts'

export interface NewUser extends NewFields {
  /** Undefined: there is none that is right, until one is set. */
  readonly password: ApprovedPassword | undefined
}

export interface PasswordChange extends Condition {
  /** Whether the user has to change it at the next sign-in. */
  readonly mustChange?: boolean | undefined
}

/** Changes of users; each goes to the backend that has the user, as far as that backend takes it. */
export interface UserChanges {
  /**
   * Resolves when the change is stored and in force; listeners of `onInvalidated` have been told by then.
   * @param name canonical
   * @throws AppError USER_UNKNOWN, USER_CHANGED, PASSWORD_UNUSABLE, HASHING_BUSY, USERS_UNWRITABLE
   */
  setPassword(name: string, password: ApprovedPassword, change?: PasswordChange): Promise<void>
  /**
   * Adds the user to the first backend that takes new ones.
   * @throws AppError USER_EXISTS, BODY_INVALID (`data.faults`), PASSWORD_UNUSABLE, HASHING_BUSY, USERS_UNWRITABLE
   */
  add(name: string, user: NewUser): Promise<void>
  /**
   * @throws AppError USER_UNKNOWN, USER_CHANGED, USER_LAST_ADMINISTRATOR, BODY_INVALID (`data.faults`), USERS_UNWRITABLE
   */
  change(name: string, fields: Partial<AccountFields>, condition?: Condition): Promise<void>
  /** @throws AppError USER_UNKNOWN, USER_CHANGED, USER_LAST_ADMINISTRATOR, USERS_UNWRITABLE */
  remove(name: string, condition?: Condition): Promise<void>
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
    async setPassword(name, password, { mustChange = false, ...condition } = {}) {
      const { writing, name: backend } = await backendOf(name)
      if (writing === undefined) throw unwritable(backend, 'takes no new passwords')
      if (writing.kind === 'digest') {
        const digest = await passwords.hash(password.reveal(), '')
        await writing.set(name, digest, mustChange, condition)
      } else await writing.set(name, password.reveal())
    },
    async add(name, { password, ...fields }) {
      if ((await lookUp(name)) !== undefined) throw new AppError('USER_EXISTS')
      const creation = backends.find((backend) => backend.creation !== undefined)?.creation
      if (creation === undefined) throw unwritable('', 'no backend takes new users')
      // What no one knows is no password.
      const text = password?.reveal() ?? randomBytes(32).toString('base64url')
      await creation.add(name, { ...fields, digest: await passwords.hash(text, '') })
    },
    async change(name, fields, condition) {
      const { editing, name: backend } = await backendOf(name)
      if (editing === undefined) throw unwritable(backend, 'takes no changes of users')
      await editing.change(name, fields, condition)
    },
    async remove(name, condition) {
      const { removal, name: backend } = await backendOf(name)
      if (removal === undefined) throw unwritable(backend, 'removes no users')
      await removal.remove(name, condition)
    },
  }
}

const unwritable = (backend: string, reason: string): AppError =>
  new AppError('USERS_UNWRITABLE', { backend, reason })
