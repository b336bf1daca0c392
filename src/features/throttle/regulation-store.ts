import { randomBytes } from 'node:crypto'
import type { ExpressionBuilder, Kysely, Selectable } from 'kysely'
import type { EpochMs } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Storage } from '../../storage/index.ts'
import { type Ban, type BanTarget, type LimitKey, lockKeyOf } from './bans.ts'

type AttemptRow = {
  id: string
  at: number
  /** Empty: the name has no user, or it was forgotten when a ban was lifted. */
  user_name: string
  address: string
  /** Empty: of no known device. */
  device: string
}
/** By the names of the columns: `subject` is the name of the ban target. */
type BanRow = Record<'id' | 'kind' | 'subject' | 'source' | 'reason' | 'created_by', string> & {
  created_at: number
  expires_at: number | null
}
// Aliases, not interfaces: Kysely wants what has an index signature.
type Tables = {
  regulation_attempts: AttemptRow
  bans: BanRow
}

/** One attempt that is counted. */
export interface Counted {
  readonly user: string
  readonly address: string
  readonly device: string | undefined
}

/** What may be asked and done while no other transaction has the keys. */
export interface Ledger {
  /** Bans of any of these that are in force. */
  bans(targets: readonly BanTarget[], now: EpochMs): Promise<readonly Ban[]>
  /** How many were counted for it after `since`, and when the last was. */
  failures(key: LimitKey, since: number): Promise<{ readonly count: number; readonly last: number }>
  count(attempt: Counted, now: EpochMs): Promise<void>
  ban(ban: Omit<Ban, 'id'>): Promise<Ban>
  unban(bans: readonly Ban[]): Promise<void>
}

/** What regulation keeps. Shared by all instances when the database is. */
export interface RegulationStore {
  /**
   * Does it all in one transaction, while no other one on any instance runs for one of these keys.
   * @throws AppError STORE_UNAVAILABLE
   */
  alone<T>(keys: readonly LimitKey[], work: (ledger: Ledger) => Promise<T>): Promise<T>
  /** Takes back what was counted for this user from this address, or by this device. */
  giveBack(attempt: Counted): Promise<void>
  /** Bans in force, newest first, at most `limit`. */
  list(now: EpochMs, limit: number): Promise<readonly Ban[]>
  /** Ends these bans, and forgets what was counted for their targets. @returns those that were in force */
  lift(ids: readonly string[], now: EpochMs): Promise<readonly Ban[]>
  /** Removes at most `limit` of what counts for nothing any more. @returns how many */
  sweep(now: EpochMs, countedBefore: number, limit: number): Promise<number>
}

/** A reason is a sentence. */
const MAX_REASON = 200

export function createRegulationStore(storage: Storage): RegulationStore {
  const transaction = <T>(work: (db: Kysely<Tables>) => Promise<T>, locks: readonly string[]) =>
    storage.transaction((db) => work(db.$extendTables<Tables>()), { locks })

  return {
    alone: (keys, work) =>
      transaction(
        (db) => work(ledgerOf(db)),
        keys.map((key) => `regulation:${lockKeyOf(key)}`),
      ),
    async giveBack({ user, address, device }) {
      const db = (await storage.db()).$extendTables<Tables>()
      const own = db.deleteFrom('regulation_attempts').where('user_name', '=', user)
      await (device === undefined
        ? own.where('address', '=', address).where('device', '=', '')
        : own.where('device', '=', device)
      ).execute()
    },
    async list(now, limit) {
      const db = (await storage.db()).$extendTables<Tables>()
      const rows = await db
        .selectFrom('bans')
        .selectAll()
        .where(inForce(now))
        .orderBy('created_at', 'desc')
        .orderBy('id')
        .limit(limit)
        .execute()
      return rows.map(toBan)
    },
    async lift(ids, now) {
      if (ids.length === 0) return []
      const db = (await storage.db()).$extendTables<Tables>()
      const found = await db
        .selectFrom('bans')
        .selectAll()
        .where('id', 'in', ids)
        .where(inForce(now))
        .execute()
      const bans = found.map(toBan)
      await transaction(
        async (own) => {
          for (const ban of bans) {
            await own.deleteFrom('bans').where('id', '=', ban.id).execute()
            // Else the next wrong password would bring it back.
            const column = COLUMN[ban.kind]
            await own
              .updateTable('regulation_attempts')
              .set({ [column]: '' })
              .where(column, '=', ban.name)
              .execute()
          }
        },
        bans.map((ban) => `regulation:${lockKeyOf(ban)}`),
      )
      return bans
    },
    async sweep(now, countedBefore, limit) {
      const db = (await storage.db()).$extendTables<Tables>()
      const attempts = await db
        .deleteFrom('regulation_attempts')
        .where('id', 'in', (query) =>
          query
            .selectFrom('regulation_attempts')
            .select('id')
            .where('at', '<=', countedBefore)
            .limit(limit),
        )
        .executeTakeFirst()
      const bans = await db
        .deleteFrom('bans')
        .where('id', 'in', (query) =>
          query.selectFrom('bans').select('id').where('expires_at', '<=', now).limit(limit),
        )
        .executeTakeFirst()
      return Math.max(Number(attempts.numDeletedRows), Number(bans.numDeletedRows))
    },
  }
}

const COLUMN = { user: 'user_name', address: 'address', device: 'device' } as const

const inForce = (now: number) => (where: ExpressionBuilder<Tables, 'bans'>) =>
  where.or([where('expires_at', 'is', null), where('expires_at', '>', now)])

function ledgerOf(db: Kysely<Tables>): Ledger {
  return {
    async bans(targets, now) {
      if (targets.length === 0) return []
      const rows = await db
        .selectFrom('bans')
        .selectAll()
        .where((where) =>
          where.or(
            targets.map(({ kind, name }) =>
              where.and([where('kind', '=', kind), where('subject', '=', name)]),
            ),
          ),
        )
        .where(inForce(now))
        .execute()
      return rows.map(toBan)
    },
    async failures({ kind, name }, since) {
      const found = await db
        .selectFrom('regulation_attempts')
        .select(({ fn }) => [fn.countAll().as('count'), fn.max('at').as('last')])
        .where(COLUMN[kind], '=', name)
        .where('at', '>', since)
        // What a known device failed is its own.
        .where('device', '=', kind === 'device' ? name : '')
        .executeTakeFirstOrThrow()
      return { count: Number(found.count), last: Number(found.last ?? 0) }
    },
    async count({ user, address, device }, now) {
      await db
        .insertInto('regulation_attempts')
        .values({ id: newId(), at: now, user_name: user, address, device: device ?? '' })
        .execute()
    },
    async ban(given) {
      const ban: Ban = { ...given, id: newId(), reason: given.reason.slice(0, MAX_REASON) }
      await db
        .insertInto('bans')
        .values({
          id: ban.id,
          kind: ban.kind,
          subject: ban.name,
          source: ban.source,
          reason: ban.reason,
          created_by: ban.by,
          created_at: ban.createdAt,
          expires_at: ban.expiresAt ?? null,
        })
        .execute()
      return ban
    },
    async unban(bans) {
      for (const { id } of bans) await db.deleteFrom('bans').where('id', '=', id).execute()
    },
  }
}

const newId = (): string => randomBytes(12).toString('base64url')

function toBan(row: Selectable<BanRow>): Ban {
  const { kind, source } = row
  if (kind !== 'user' && kind !== 'address' && kind !== 'device') throw unreadable(row.id)
  if (source !== 'regulation' && source !== 'operator') throw unreadable(row.id)
  return {
    id: row.id,
    kind,
    name: row.subject,
    source,
    reason: row.reason,
    by: row.created_by,
    // Written as times; a column has no brand.
    createdAt: row.created_at as EpochMs,
    expiresAt: row.expires_at === null ? undefined : (row.expires_at as EpochMs),
  }
}

/** A ban that cannot be read lets no attempt pass. */
const unreadable = (id: string): AppError =>
  new AppError('STORE_UNAVAILABLE', { reason: `the ban ${id} cannot be read` })
