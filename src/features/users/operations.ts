/** What may be asked of users. A leaf: the command line loads it without the rest of the feature. */
import { z } from 'zod'
import type { EpochMs } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import { type Caller, defineOperation } from '../../kernel/operation.ts'
import type { Audit } from '../audit/index.ts'
import type { ApprovedPassword } from '../passwords/index.ts'
import type { AccountFields, Found, Profile } from './backend.ts'
import { resetAdmin } from './reset-admin.ts'
import type { Users } from './users.ts'

export { resetAdmin }

type Approve = (
  password: string,
  person: Pick<Profile, 'name' | 'displayName' | 'email'>,
  isForced: boolean,
) => Promise<ApprovedPassword>

/** Of what is kept of users, what is needed here. */
interface Services {
  /** Opened when it is first asked for: other operations need no users. */
  readonly users: () => Users | Promise<Users>
  /** `admin.groups` */
  readonly adminGroups: readonly string[]
  /** The kinds of factors that each of these users has. */
  readonly factors: { kindsOf(users: readonly string[]): Promise<ReadonlyMap<string, string[]>> }
  readonly audit: Pick<Audit, 'record' | 'list'>
  /**
   * Asks the password policy.
   * @param isForced the operator wants this one, whatever the policy says
   * @throws AppError PASSWORD_WEAK
   */
  readonly approve: Approve
  /** Takes away what else is kept of a user who was deleted: sessions, devices, factors. */
  readonly onDeleted: (user: string) => Promise<void>
}

const username = z.string().min(1).max(256)
const text = z.string().max(1024)
const groups = z.array(z.string().min(1).max(256)).max(1000)
const moment = z.iso
  .datetime({ offset: true, error: 'is no moment such as 2027-01-31T18:00:00Z' })
  .nullable()
  .describe('a moment such as 2027-01-31T18:00:00Z; null: never')
/** Longer ones are refused as PASSWORD_UNUSABLE, by their bytes. */
const password = z.string().max(4096)
const version = z.string().max(256).optional()
/** No route of the admin API has it. */
const force = z.boolean().optional().describe('the operator alone: do not ask the password policy')

const fields = {
  display_name: text,
  email: text,
  groups,
  disabled: z.boolean(),
  expires_at: moment,
  must_change_password: z.boolean(),
}

const someFields = z.object(fields).partial()

const userRow = z.object({
  username: z.string(),
  ...fields,
  factors: z.array(z.string()),
  /** As far back as the audit trail goes. */
  last_sign_in: z.string().nullable(),
  /** The backend that has the user. */
  source: z.string(),
  /** Changes with every change of the user; the ETag. */
  version: z.string(),
})
export type UserRow = z.infer<typeof userRow>

const bodyOf = ({ version: _, ...row }: UserRow) => row
const etag = ({ version: tag }: UserRow) => tag

const isoOf = (at: number | undefined): string | null =>
  at === undefined ? null : new Date(at).toISOString()

async function rowsOf({ factors, audit }: Services, found: readonly Found[]): Promise<UserRow[]> {
  const kinds = await factors.kindsOf(found.map(({ account }) => account.profile.name))
  return Promise.all(
    found.map(async ({ account: { profile, disabled, version: is }, backend }) => {
      const asked = { user: profile.name, names: ['login.succeeded'], limit: 1 } as const
      const [last] = (await audit.list(asked)) ?? []
      return {
        username: profile.name,
        display_name: profile.displayName,
        email: profile.email,
        groups: [...profile.groups],
        disabled,
        expires_at: isoOf(profile.expiresAt),
        must_change_password: profile.mustChangePassword === true,
        factors: kinds.get(profile.name) ?? [],
        last_sign_in: isoOf(last?.time),
        source: backend.name,
        version: is,
      }
    }),
  )
}

/** @throws AppError USER_UNKNOWN */
async function show(services: Services, name: string): Promise<UserRow> {
  const found = await (await services.users()).account(name)
  const [row] = found === undefined ? [] : await rowsOf(services, [found])
  if (row === undefined) throw new AppError('USER_UNKNOWN')
  return row
}

const number = z.coerce.number().int()
const flag = z.enum(['true', 'false']).transform((word) => word === 'true')

export const listUsers = defineOperation({
  name: 'users.list',
  summary: 'list users, or search for some',
  who: 'admin',
  input: z.strictObject({
    search: text.optional().describe('beginnings of words of name, display name and mail address'),
    group: text.optional().describe('members of this group alone'),
    disabled: z.boolean().optional().describe('those who are disabled, or those who are not'),
    after: text.optional().describe('names that come after this one'),
    limit: z.number().int().min(1).max(1000).default(50).describe('how many at most'),
  }),
  output: z.object({ users: z.array(userRow), next: z.string().nullable() }),
  audits: [],
  http: [
    {
      method: 'GET',
      path: '/api/admin/users',
      request: z
        .object({
          query: z.strictObject({
            search: text.optional(),
            group: text.optional(),
            disabled: flag.optional(),
            after: text.optional(),
            limit: number.optional(),
          }),
        })
        .transform(({ query }) => query),
      answer: ({ users, next }) => ({ users: users.map(bodyOf), next }),
    },
  ],
  async run(services: Services, { limit, ...asked }) {
    const found = await (await services.users()).search({ ...asked, limit: limit + 1 })
    const users = await rowsOf(services, found.slice(0, limit))
    return { users, next: found.length > limit ? (users.at(-1)?.username ?? null) : null }
  },
})

export const showUser = defineOperation({
  name: 'users.show',
  summary: 'show a user',
  who: 'admin',
  input: z.strictObject({ username }),
  output: userRow,
  audits: [],
  http: [{ method: 'GET', path: '/api/admin/users/:username', answer: bodyOf, etag }],
  run: (services: Services, asked) => show(services, asked.username),
})

export const addUser = defineOperation({
  name: 'users.add',
  summary: 'add a user',
  who: 'admin',
  input: z.strictObject({
    username,
    ...someFields.shape,
    display_name: text,
    password: password.optional(),
    force,
  }),
  output: userRow,
  audits: ['user.added'],
  http: [
    {
      ...{ method: 'POST', path: '/api/admin/users', status: 201, elevated: true },
      ...{ answer: bodyOf, etag },
    },
  ],
  async run(services: Services, { username: name, password: secret, ...given }, { actor }) {
    const users = await services.users()
    const { display_name: displayName, email = '' } = given
    const person = { name, displayName, email }
    const isForced = given.force === true && actor === 'operator'
    const approved =
      secret === undefined ? undefined : await services.approve(secret, person, isForced)
    const account = { displayName, groups: [], ...fieldsOf(given) }
    await users.add(name, { ...account, password: approved })
    services.audit.record('user.added', { user: name, actor, details: { reason: 'asked' } })
    return show(services, name)
  },
})

export const changeUser = defineOperation({
  name: 'users.change',
  summary: 'change fields of a user',
  who: 'admin',
  input: z.strictObject({ username, ...someFields.shape, version }),
  output: userRow,
  audits: ['user.changed'],
  http: [
    {
      ...{ method: 'PATCH', path: '/api/admin/users/:username', elevated: true },
      ...{ answer: bodyOf, etag },
    },
  ],
  async run(services: Services, { username: name, version: is, ...given }, caller) {
    const { adminGroups: administrators, audit } = services
    const changed = fieldsOf(given)
    refuseOwn(caller, name, changed, administrators)
    await (await services.users()).change(name, changed, { version: is, administrators })
    const details = { changed: Object.keys(given).join(', ') }
    audit.record('user.changed', { user: name, actor: caller.actor, details })
    return show(services, name)
  },
})

export const setPassword = defineOperation({
  name: 'users.set-password',
  summary: 'set the password of a user',
  who: 'admin',
  input: z.strictObject({
    username,
    password,
    must_change_password: z.boolean().default(false),
    force,
    version,
  }),
  output: z.object({}),
  audits: ['password.changed'],
  http: [
    {
      ...{ method: 'PUT', path: '/api/admin/users/:username/password', elevated: true },
      answer: () => undefined,
    },
  ],
  async run({ users: open, approve, audit }: Services, asked, { actor }) {
    const { username: user, must_change_password: mustChange, version: is } = asked
    const users = await open()
    const found = await users.account(user)
    if (found === undefined) throw new AppError('USER_UNKNOWN')
    const isForced = asked.force === true && actor === 'operator'
    const approved = await approve(asked.password, found.account.profile, isForced)
    await users.setPassword(user, approved, { mustChange, version: is })
    audit.record('password.changed', { user, actor, details: { reason: 'administrator' } })
    return {}
  },
})

export const deleteUser = defineOperation({
  name: 'users.delete',
  summary: 'delete a user, with sessions, known devices and second factors',
  who: 'admin',
  input: z.strictObject({ username, version }),
  output: z.object({}),
  audits: ['user.removed'],
  http: [
    {
      ...{ method: 'DELETE', path: '/api/admin/users/:username', elevated: true },
      answer: () => undefined,
    },
  ],
  async run({ users, audit, adminGroups, onDeleted }: Services, asked, caller) {
    const { username: user, version: is } = asked
    if (caller.name === user) throw new AppError('USER_OWN')
    await (await users()).remove(user, { version: is, administrators: adminGroups })
    audit.record('user.removed', { user, actor: caller.actor })
    await onDeleted(user)
    return {}
  },
})

type Given = z.infer<typeof someFields>

function fieldsOf(given: Given): Partial<AccountFields> {
  const { display_name, email, groups: of, disabled, expires_at, must_change_password } = given
  return {
    ...(display_name !== undefined && { displayName: display_name }),
    ...(email !== undefined && { email }),
    ...(of !== undefined && { groups: of }),
    ...(disabled !== undefined && { disabled }),
    // Checked by the schema.
    ...(expires_at !== undefined && {
      expiresAt: expires_at === null ? null : (Date.parse(expires_at) as EpochMs),
    }),
    ...(must_change_password !== undefined && { mustChangePassword: must_change_password }),
  }
}

/** Administrators cannot lock themselves out. @throws AppError USER_OWN */
function refuseOwn(
  caller: Caller,
  name: string,
  { disabled, expiresAt, groups: of }: Partial<AccountFields>,
  administrators: readonly string[],
): void {
  if (caller.name !== name) return
  const leaves = of !== undefined && !of.some((group) => administrators.includes(group))
  const ends = expiresAt !== undefined && expiresAt !== null
  if (disabled === true || ends || leaves) throw new AppError('USER_OWN')
}

export const userOperations = [
  listUsers,
  showUser,
  addUser,
  changeUser,
  setPassword,
  deleteUser,
  resetAdmin,
] as const
