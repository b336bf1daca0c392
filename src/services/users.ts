import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Passwords } from '../features/passwords/index.ts'
import {
  createUsers,
  type openPasswordMarks,
  type Users,
  usersFileOf,
} from '../features/users/index.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { warnOfUnknownSubjects } from '../server/reload.ts'
import type { Resources } from './resources.ts'

interface UsersBase
  extends Pick<Resources, 'config' | 'cwd' | 'data' | 'storage' | 'clock' | 'log'> {
  readonly passwords: Passwords
  readonly marks: ReturnType<typeof openPasswordMarks>
}

/** @throws OperatorError when a backend cannot be read, and when all users of earlier starts are gone */
export async function openUsers(base: UsersBase): Promise<Users> {
  const { config, cwd, data, storage, passwords, marks, clock, log } = base
  const users = await createUsers({
    config,
    place: { resolve: (path) => resolve(cwd, path), inDataDirectory: data.file },
    passwords,
    rehash: config['authentication_backend.rehash_on_login'],
    marks,
    storage,
    separator: config['identity_headers'].separator,
    clock,
    log,
  })
  warnOfUnknownSubjects(config['access_control'], users, log)
  if (config['authentication_backend.database'] !== undefined) return users
  const file = usersFile(base)
  if (!users.isEmpty() || marks.isEmpty() || !existsSync(file)) return users
  await users.close()
  throw new OperatorError(
    `the users file ${file} has no users, and there were some at the last start`,
    'restore it from a backup; to begin anew with an administrator, remove it',
  )
}

/** Absolute. */
export const usersFile = ({
  config,
  cwd,
  data,
}: Pick<UsersBase, 'config' | 'cwd' | 'data'>): string =>
  usersFileOf(config['authentication_backend.file'].path, data.path, cwd)
