/** Users in the database: the only file here that knows SQL. */
import type { ExpressionBuilder, Kysely } from 'kysely'
import type { Clock } from '../../../../kernel/clock.ts'
import { AppError } from '../../../../kernel/errors.ts'
import type { Storage } from '../../../../storage/index.ts'
import type { AccountFields, AccountQuery, Condition, NewFields } from '../../backend.ts'
import { invalidFields } from '../../invalid-fields.ts'
import { lastAdministrator, takesAdministrator } from '../../last-administrator.ts'
import { markOf } from '../../password-marks.ts'
import { questionOf, termsOf } from '../../search-terms.ts'
import { lookupKey, mailKey } from '../../spellings.ts'
import { digestOf } from './account.ts'
import { type Rules, requireValid } from './fields.ts'
import type { Tables, UserRow } from './tables.ts'

type Db = Kysely<Tables>
type Where = ExpressionBuilder<Tables, 'users'>

export interface StoreOptions extends Rules {
  readonly storage: Pick<Storage, 'db' | 'transaction' | 'tell'>
  /** Users sign in with their mail address too. */
  readonly email: boolean
  readonly clock: Clock
}

/** A change that was committed: the user before and after it. */
export interface Written {
  readonly id: number
  readonly before: UserRow | undefined
  readonly after: UserRow | undefined
}

/** Under which instances tell each other that users changed. */
export const TOPIC = 'users'

export type ChangeRow = Tables['user_changes']

/** How long it is kept what changed: an instance that was away for longer reads all users anew. 90 days. */
const KEPT = 90 * 86_400_000
/** Longer than any name or mail address: not worth looking up. */
const MAX_LOGIN = 1024

export type DatabaseStore = ReturnType<typeof createDatabaseStore>

export function createDatabaseStore(options: StoreOptions) {
  return { ...createQuestions(options), ...createWrites(options) }
}

function createQuestions({ storage, email, caseInsensitive }: StoreOptions) {
  const open = async (): Promise<Db> => (await storage.db()).$extendTables<Tables>()
  const users = async () => (await open()).selectFrom('users').selectAll()
  const nameColumn = caseInsensitive ? 'name_lower' : 'name_nfc'
  return {
    byName: async (name: string) => (await users()).where('name', '=', name).executeTakeFirst(),
    /** By mail address first, then by name. A mail address that two have is the login of none. */
    async byLogin(login: string): Promise<UserRow | undefined> {
      if (login.length > MAX_LOGIN || login === '' || login.includes('\0')) return undefined
      if (email) {
        const mail = (await users()).where('mail_lower', '=', mailKey(login)).limit(2)
        const [first, second] = await mail.execute()
        if (second !== undefined) return undefined
        if (first !== undefined) return first
      }
      const named = (await users()).where(nameColumn, '=', lookupKey(login, { caseInsensitive }))
      const [one, another] = await named.limit(2).execute()
      return another === undefined ? one : undefined
    },
    async search({ search = '', group, disabled, after, limit }: AccountQuery) {
      let query = (await users()).orderBy('users.name').limit(limit)
      if (after !== undefined) query = query.where('users.name', '>', after)
      if (disabled !== undefined) query = query.where('disabled', '=', disabled ? 1 : 0)
      if (group !== undefined) query = query.where(isMember(group))
      for (const word of questionOf(search)) query = query.where(hasTerm(word))
      return query.execute()
    },
    async isEmpty(): Promise<boolean> {
      const any = (await open()).selectFrom('users').select('name').limit(1)
      return (await any.executeTakeFirst()) === undefined
    },
    async count(): Promise<number> {
      const all = (await open()).selectFrom('users').select((of) => of.fn.countAll().as('count'))
      return Number((await all.executeTakeFirstOrThrow()).count)
    },
    async costliest() {
      const query = (await open()).selectFrom('users').select('digest').orderBy('weight', 'desc')
      const row = await query.limit(1).executeTakeFirst()
      return row === undefined ? undefined : digestOf(row.digest)
    },
    /** Names that are not lower case: none of their users could sign in with `search.case_insensitive`. */
    async firstUpperCase(): Promise<string | undefined> {
      const query = (await open()).selectFrom('users').select('name')
      const row = await query.whereRef('name_nfc', '!=', 'name_lower').limit(1).executeTakeFirst()
      return row?.name
    },
    /** What changed after this one, in order. */
    async changesAfter(id: number, limit: number): Promise<readonly ChangeRow[]> {
      const query = (await open()).selectFrom('user_changes').selectAll().where('id', '>', id)
      return query.orderBy('id').limit(limit).execute()
    },
    lastChange: async () => lastChange(await open()),
  }
}

const isMember = (group: string) => (of: Where) =>
  of.exists(
    of
      .selectFrom('user_groups')
      .select('user_groups.name')
      .whereRef('user_groups.name', '=', 'users.name')
      .where('group_name', '=', group),
  )

/** Behind every text that begins with the word, in the order of bytes. */
const BEYOND = '\u{10ffff}'

const hasTerm = (word: string) => (of: Where) =>
  of.exists(
    of
      .selectFrom('user_terms')
      .select('user_terms.name')
      .whereRef('user_terms.name', '=', 'users.name')
      .where('term', '>=', word)
      .where('term', '<', word + BEYOND),
  )

async function lastChange(db: Db): Promise<number> {
  const query = db.selectFrom('user_changes').select((of) => of.fn.max('id').as('id'))
  const row = await query.executeTakeFirst()
  return Number(row?.id ?? 0)
}

function createWrites(options: StoreOptions) {
  const { storage } = options

  /** One after the other on all instances: the ids of changes come in the order of the commits, and no login is taken twice. */
  const write = (work: (db: Db) => Promise<Written | undefined>) =>
    storage.transaction(
      async (db) => {
        const written = await work(db.$extendTables<Tables>())
        if (written !== undefined) await storage.tell(db, TOPIC)
        return written
      },
      { locks: ['users'] },
    )

  return {
    add: (name: string, { digest, ...fields }: NewFields & { readonly digest: string }) =>
      write(async (db) => {
        requireValid(name, fields, options)
        const row = rowOf(name, fields, digest)
        await refuseTaken(db, row, options)
        await db.insertInto('users').values(row).execute()
        await index(db, row)
        return note(db, undefined, row, options.clock)
      }),
    /**
     * @param next the row as it is to be; undefined to take the user out
     * @returns undefined: `next` changed nothing
     */
    change: (
      name: string,
      condition: Condition,
      next: (before: UserRow) => UserRow | undefined | 'unchanged',
    ) =>
      write(async (db) => {
        const before = await db
          .selectFrom('users')
          .selectAll()
          .where('name', '=', name)
          .executeTakeFirst()
        if (before === undefined) throw new AppError('USER_UNKNOWN')
        const { version = String(before.version), administrators } = condition
        if (version !== String(before.version)) throw new AppError('USER_CHANGED')
        const after = next(before)
        if (after === 'unchanged') return undefined
        if (administrators !== undefined)
          await refuseLastAdministrator(db, before, after, administrators)
        await db.deleteFrom('user_groups').where('name', '=', name).execute()
        await db.deleteFrom('user_terms').where('name', '=', name).execute()
        if (after === undefined) await db.deleteFrom('users').where('name', '=', name).execute()
        else {
          requireValid(name, fieldsOf(after), options)
          await refuseTaken(db, after, options)
          await db.updateTable('users').set(after).where('name', '=', name).execute()
          await index(db, after)
        }
        return note(db, before, after, options.clock)
      }),
  }
}

async function index(db: Db, row: UserRow): Promise<void> {
  const { name } = row
  const groups = groupsOf(row).map((group_name) => ({ group_name, name }))
  const profile = { name, displayName: row.display_name, email: row.email }
  const terms = [...termsOf(profile)].map((term) => ({ term, name }))
  if (groups.length > 0) await db.insertInto('user_groups').values(groups).execute()
  await db.insertInto('user_terms').values(terms).execute()
}

async function note(
  db: Db,
  before: UserRow | undefined,
  after: UserRow | undefined,
  clock: Clock,
): Promise<Written> {
  const id = (await lastChange(db)) + 1
  const name = (after ?? before)?.name ?? ''
  const [added, invalidated] = [before === undefined, isInvalidated(before, after)].map(Number)
  const row = { id, name, added: added ?? 0, invalidated: invalidated ?? 0, at: clock.now() }
  await db.insertInto('user_changes').values(row).execute()
  // Not the last one: ids are counted on from it.
  const old = db.deleteFrom('user_changes').where('at', '<', clock.now() - KEPT)
  await old.where('id', '<', id).execute()
  return { id, before, after }
}

/** Whether sessions that began under the first row have to end under the second. */
export function isInvalidated(before: UserRow | undefined, after: UserRow | undefined): boolean {
  if (before === undefined || before.disabled === 1) return false
  if (after === undefined || after.disabled === 1) return true
  return before.digest !== after.digest && after.continues !== markOf(before.digest)
}

/** @throws AppError USER_EXISTS, BODY_INVALID */
async function refuseTaken(db: Db, row: UserRow, options: StoreOptions): Promise<void> {
  const { email, caseInsensitive } = options
  const named = await db
    .selectFrom('users')
    .select(['name', 'mail_lower', 'name_lower', 'name_nfc'])
    .where((of) =>
      of.or([
        of('name_nfc', '=', row.name_nfc),
        ...(caseInsensitive ? [of('name_lower', '=', row.name_lower)] : []),
        ...(email ? [of('mail_lower', '=', row.name_lower)] : []),
        ...(email && row.mail_lower !== ''
          ? [of('mail_lower', '=', row.mail_lower), of('name_lower', '=', row.mail_lower)]
          : []),
      ]),
    )
    .limit(10)
    .execute()
  for (const { name, ...other } of named) {
    if (name === row.name) {
      if (row.version === 1) throw new AppError('USER_EXISTS')
      continue
    }
    const isMail =
      row.mail_lower !== '' && [other.mail_lower, other.name_lower].includes(row.mail_lower)
    const field = email && isMail ? 'email' : 'username'
    throw invalidFields([{ field, message: `is a login of ${name} already` }])
  }
}

async function refuseLastAdministrator(
  db: Db,
  before: UserRow,
  after: UserRow | undefined,
  groups: readonly string[],
): Promise<void> {
  if (!takesAdministrator(standingOf(before), after && standingOf(after), groups)) return
  const other = await db
    .selectFrom('user_groups')
    .innerJoin('users', 'users.name', 'user_groups.name')
    .select('users.name')
    .where('group_name', 'in', groups)
    .where('users.name', '!=', before.name)
    .where('disabled', '=', 0)
    .where('expires_at', 'is', null)
    .limit(1)
    .executeTakeFirst()
  if (other === undefined) throw lastAdministrator()
}

const standingOf = (row: UserRow) => ({
  groups: groupsOf(row),
  disabled: row.disabled === 1,
  expires: row.expires_at !== null,
})

const groupsOf = ({ groups }: UserRow): string[] => JSON.parse(groups) // written by rowOf

const fieldsOf = (row: UserRow): NewFields => ({
  ...{ displayName: row.display_name, email: row.email, groups: groupsOf(row) },
  attributes: JSON.parse(row.attributes),
})

function rowOf(name: string, fields: NewFields, digest: string): UserRow {
  const { displayName, groups, ...more } = fields
  const empty: UserRow = {
    name,
    name_nfc: lookupKey(name, { caseInsensitive: false }),
    name_lower: lookupKey(name, { caseInsensitive: true }),
    ...{ display_name: '', email: '', mail_lower: '', groups: '[]', attributes: '{}' },
    ...withDigest(digest),
    ...{ disabled: 0, expires_at: null, must_change_password: 0, version: 0 },
  }
  return withFields(empty, { displayName, groups, ...more })
}

/** The row with these fields, as its next version. */
export function withFields(row: UserRow, fields: Partial<AccountFields>): UserRow {
  const { displayName, email, groups, disabled, expiresAt, mustChangePassword, attributes } = fields
  return {
    ...row,
    ...(displayName !== undefined && { display_name: displayName }),
    ...(email !== undefined && { email, mail_lower: mailKey(email) }),
    ...(groups !== undefined && { groups: JSON.stringify([...new Set(groups)]) }),
    ...(disabled !== undefined && { disabled: Number(disabled) }),
    ...(expiresAt !== undefined && { expires_at: expiresAt }),
    ...(mustChangePassword !== undefined && { must_change_password: Number(mustChangePassword) }),
    ...(attributes !== undefined && { attributes: JSON.stringify(attributes) }),
    version: row.version + 1,
  }
}

/** @param continues the mark of the digest that this one replaces, when both were made from the same password */
export const withDigest = (digest: string, continues = '') => ({
  digest,
  weight: Math.round(digestOf(digest).weight),
  continues,
})
