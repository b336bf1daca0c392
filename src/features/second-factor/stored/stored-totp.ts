import { randomBytes } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import type { Clock } from '../../../kernel/clock.ts'
import { type Sealer, sealedPlace } from '../../../kernel/seal.ts'
import type { Storage } from '../../../storage/index.ts'
import type { TotpSettings } from '../manifest.ts'
import { base32Of, bytesOf, enrolmentOf } from '../methods/totp-code.ts'
import type { Tables } from '../tables.ts'
import type { ImportWish, Put, TotpEntry, TotpSummary } from './entries.ts'
import { alreadyThere, boundedLocks, chunks, doesNotOpen } from './faults.ts'

/** What is given in place of the configuration. */
export interface TotpWish {
  readonly user: string
  readonly issuer?: string | undefined
  readonly algorithm?: TotpSummary['algorithm'] | undefined
  readonly digits?: TotpSummary['digits'] | undefined
  readonly period?: number | undefined
  /** Bytes. */
  readonly secretSize?: number | undefined
  /** Base32. */
  readonly secret?: string | undefined
  readonly force: boolean
}

/** One-time codes of the database, for operations with and without a server. */
export interface StoredTotp {
  list(): Promise<readonly TotpSummary[]>
  /** Opened. @throws OperatorError for a secret that does not open */
  entries(user: string | undefined): Promise<readonly TotpEntry[]>
  /**
   * All of them or none. Codes that a user has used stay used.
   * @throws OperatorError for a user who has one already, without `force`
   */
  put(entries: readonly TotpEntry[], wish: ImportWish): Promise<Put>
  /** Gives a user one, which counts at once. @throws OperatorError as `put` */
  generate(wish: TotpWish): Promise<TotpEntry>
  /** @returns whether there was one */
  remove(user: string): Promise<boolean>
}

export interface StoredDependencies {
  readonly storage: Pick<Storage, 'db' | 'transaction'>
  /** Opened when something sealed is asked for: what removes factors works without the key. */
  readonly sealer: () => Promise<Sealer>
  readonly clock: Clock
  readonly totp: TotpSettings
}

type Row = Selectable<Tables['totp']>

const placeOf = (user: string): string => sealedPlace('totp', 'secret', [user])
const lockOf = (user: string): string => `totp:${user}`

export function createStoredTotp({ storage, sealer, clock, totp }: StoredDependencies): StoredTotp {
  const open = async () => (await storage.db()).$extendTables<Tables>()
  const rowsOf = async (user: string | undefined) => {
    const all = (await open()).selectFrom('totp').selectAll().orderBy('user_name')
    return (user === undefined ? all : all.where('user_name', '=', user)).execute()
  }
  const put: StoredTotp['put'] = async (entries, { force, dryRun }) => {
    const key = await sealer()
    const opened: Opened[] = []
    for (const entry of entries) opened.push({ ...entry, bytes: await bytesOf(entry.secret) })
    const locks = boundedLocks(entries.map(({ user }) => lockOf(user)))
    return storage.transaction(
      async (plain) => {
        const db = plain.$extendTables<Tables>()
        const there = await usersWithOne(db, entries)
        if (there.length > 0 && !force)
          throw alreadyThere(there.map((user) => `${user} has one-time codes`))
        if (!dryRun) for (const entry of opened) await write(db, entry, key)
        const added = entries.length - there.length
        return { added, replaced: there.length, usersReplaced: there }
      },
      { locks },
    )
  }
  return {
    list: async () => (await rowsOf(undefined)).map(summaryOf),
    async entries(user) {
      const rows = await rowsOf(user)
      if (rows.length === 0) return []
      const key = await sealer()
      const entries: TotpEntry[] = []
      for (const row of rows) {
        const secret = key.open(row.secret, placeOf(row.user_name))
        if (secret === undefined) throw doesNotOpen(`the TOTP secret of ${row.user_name}`)
        entries.push({ ...summaryOf(row), secret: await base32Of(secret) })
      }
      return entries
    },
    put,
    async generate({ user, force, ...wish }) {
      const entry: TotpEntry = {
        user,
        issuer: wish.issuer ?? totp.issuer,
        algorithm: wish.algorithm ?? totp.algorithm,
        digits: wish.digits ?? totp.digits,
        period: wish.period ?? totp.period,
        secret: wish.secret ?? (await base32Of(randomBytes(wish.secretSize ?? totp.secret_size))),
        createdAt: clock.now(),
        lastUsedAt: null,
      }
      await put([entry], { force, dryRun: false })
      return entry
    },
    remove: (user) =>
      storage.transaction(
        async (plain) => {
          const db = plain.$extendTables<Tables>()
          await db.deleteFrom('totp_used_steps').where('user_name', '=', user).execute()
          const gone = await db.deleteFrom('totp').where('user_name', '=', user).executeTakeFirst()
          return gone.numDeletedRows > 0n
        },
        { locks: [lockOf(user)] },
      ),
  }
}

/** `otpauth://totp/…`, as a QR code holds it. */
export async function totpUrl(entry: TotpEntry): Promise<string> {
  const { url } = await enrolmentOf({ ...entry, secret: await bytesOf(entry.secret) }, entry)
  return url
}

async function usersWithOne(
  db: Kysely<Tables>,
  entries: readonly TotpEntry[],
): Promise<readonly string[]> {
  const found: string[] = []
  for (const some of chunks(entries)) {
    const rows = await db
      .selectFrom('totp')
      .select('user_name')
      .where(
        'user_name',
        'in',
        some.map(({ user }) => user),
      )
      .orderBy('user_name')
      .execute()
    found.push(...rows.map(({ user_name: user }) => user))
  }
  return found
}

interface Opened extends TotpEntry {
  readonly bytes: Uint8Array
}

async function write(db: Kysely<Tables>, entry: Opened, sealer: Sealer): Promise<void> {
  const { user, issuer, algorithm, digits, period, createdAt, lastUsedAt } = entry
  await db.deleteFrom('totp').where('user_name', '=', user).execute()
  await db
    .insertInto('totp')
    .values({
      ...{ user_name: user, issuer, algorithm, digits, period },
      secret: sealer.seal(entry.bytes, placeOf(user)),
      created_at: createdAt,
      last_used_at: lastUsedAt,
    })
    .execute()
}

const summaryOf = (row: Row): TotpSummary => ({
  user: row.user_name,
  issuer: row.issuer,
  // Written from these types.
  algorithm: row.algorithm as TotpSummary['algorithm'],
  digits: row.digits as TotpSummary['digits'],
  period: row.period,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
})
