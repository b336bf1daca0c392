/** Users in a database as a case of the suite of user backends. */

import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import type { UserBackend } from '../../src/features/users/backend.ts'
import { openDatabaseUsers } from '../../src/features/users/backends/database/open.ts'
import { combineUsers } from '../../src/features/users/users.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import type { Storage } from '../../src/storage/index.ts'
import type { GivenUser, UserBackendCase } from '../conformance/user-case.ts'
import { approved } from '../support/approved.ts'
import { cheapPasswords, keptLog } from './store.ts'

export const openDatabase = (
  storage: Storage,
  more: { readonly email?: boolean; readonly caseInsensitive?: boolean } = {},
): Promise<UserBackend> =>
  openDatabaseUsers({
    ...{ storage, email: false, caseInsensitive: false, ...more },
    ...{ separator: ',', clock: systemClock, log: keptLog().log },
  })

/** Another instance that changes the users, each as far as they differ. */
export async function databaseCase(
  t: TestContext,
  storage: Storage,
  given: readonly GivenUser[],
): Promise<UserBackendCase> {
  const others = combineUsers([await openDatabase(storage)], {
    passwords: cheapPasswords(),
    log: keptLog().log,
  })
  t.after(() => others.close())
  const known = new Map<string, GivenUser>()
  const write = async (next: readonly GivenUser[]) => {
    for (const name of known.keys()) {
      if (next.some((user) => user.name === name)) continue
      await others.remove(name)
      known.delete(name)
    }
    for (const user of next) {
      const before = known.get(user.name)
      known.set(user.name, user)
      const { name, password, ...fields } = user
      if (before === undefined) await others.add(name, { ...fields, password: approved(password) })
      else {
        const { password: old, ...rest } = before
        if (password !== old) await others.setPassword(name, approved(password))
        const isSame = JSON.stringify(rest) === JSON.stringify({ name, ...fields })
        if (!isSame) await others.change(name, { disabled: false, ...fields })
      }
    }
  }
  await write(given)
  const backend = await openDatabase(storage)
  return {
    backend,
    async replaceAll(next) {
      await write(next)
      assert.ok((await backend.reload()).ok)
    },
  }
}
