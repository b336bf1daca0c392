/** The way back in for an operator who is locked out. A leaf: the command line loads it without the rest of the feature. */
import { z } from 'zod'
import { AppError } from '../../kernel/errors.ts'
import { defineOperation } from '../../kernel/operation.ts'
import type { Audit } from '../audit/index.ts'
import type { ApprovedPassword } from '../passwords/index.ts'
import type { Users } from './users.ts'

export const ADMIN = 'admin'

/** Gives admin this password, and makes admin where there is none. Sessions of admin have ended when it resolves. */
export async function setAdminPassword(
  users: Pick<Users, 'setPassword' | 'add'>,
  password: ApprovedPassword,
  groups: readonly string[],
): Promise<void> {
  try {
    await users.setPassword(ADMIN, password)
  } catch (error) {
    if (!(error instanceof AppError) || error.code !== 'USER_UNKNOWN') throw error
    await users.add(ADMIN, { displayName: 'Administrator', groups, password })
  }
}

interface Services {
  readonly users: () => Users | Promise<Users>
  readonly adminGroups: readonly string[]
  readonly audit: Pick<Audit, 'record'>
}

export const resetAdmin = defineOperation({
  name: 'users.reset-admin',
  summary: 'give admin a new random password, and make admin where there is none',
  who: 'operator',
  input: z.strictObject({}),
  output: z.object({
    username: z.string(),
    /** Said once; only its digest is kept. */
    password: z.string(),
    /** Whether admin may sign in with it: not while disabled. */
    usable: z.boolean(),
  }),
  audits: ['password.changed'],
  async run({ users: open, adminGroups, audit }: Services, _, { actor }) {
    const { approveUnchecked, randomPassword } = await import('../passwords/index.ts')
    const users = await open()
    const password = randomPassword()
    await setAdminPassword(users, approveUnchecked(password, 'generated'), adminGroups)
    const details = { reason: 'reset-admin' }
    audit.record('password.changed', { user: ADMIN, actor, details })
    const usable = (await users.profile(ADMIN)) !== undefined
    return { username: ADMIN, password, usable }
  },
})
