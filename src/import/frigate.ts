/** Users of Frigate: the table `user` of its SQLite database. */
import { basename } from 'node:path'
import { parseDigest } from '../features/passwords/index.ts'
import type { ImportedUser } from '../features/users/index.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { withForeignDatabase } from './foreign-database.ts'
import type { ImportFault, TakenUsers } from './taken.ts'

/** A role becomes a group of the same name: rules ask for `group:admin` and `group:viewer`. */
export function readFrigate(path: string): TakenUsers {
  const source = basename(path)
  return withForeignDatabase(path, (database) => {
    const columns = database.columns('user')
    if (!columns.has('username') || !columns.has('password_hash'))
      throw new OperatorError(
        `${path} is not Frigate’s database: it has no table of users`,
        'it is frigate.db in the directory of Frigate’s configuration',
      )
    const role = columns.has('role') ? 'role' : "'admin'"
    const users: ImportedUser[] = []
    const left: ImportFault[] = []
    for (const row of database.rows(
      `select username, password_hash, ${role} as role from "user" order by username`,
    )) {
      const name = String(row['username'])
      const digest = String(row['password_hash'])
      const parsed = parseDigest(digest)
      if (parsed.ok)
        users.push({ name, displayName: name, groups: [String(row['role'] ?? 'viewer')], digest })
      else
        left.push({
          source,
          message: `${name}: the digest ${parsed.problem}; give this user a new password`,
        })
    }
    return { users, totp: new Map(), left, faults: [] }
  })
}
