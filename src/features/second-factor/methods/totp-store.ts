import type { Kysely } from 'kysely'
import type { EpochMs } from '../../../kernel/clock.ts'
import { AppError } from '../../../kernel/errors.ts'
import { type Sealer, sealedPlace } from '../../../kernel/seal.ts'
import type { Storage } from '../../../storage/index.ts'
import type { TotpConfig } from '../method.ts'
import type { Tables } from '../tables.ts'

export interface StoredTotp extends TotpConfig {
  readonly secret: Uint8Array
}

export interface UsedStep {
  readonly step: number
  /** From then on its code is refused by the clock of every node. */
  readonly expiresAt: number
}

/** Every call may throw AppError STORE_UNAVAILABLE. */
export interface TotpStore {
  find(user: string): Promise<StoredTotp | undefined>
  /** Opens nothing that is sealed. */
  has(user: string): Promise<boolean>
  list(): Promise<readonly string[]>
  /** Replaces the user's. The code that confirmed it is used up. */
  save(user: string, totp: StoredTotp, used?: UsedStep): Promise<void>
  /**
   * Uses a step up: of any number of calls at once, on any number of nodes, one gets it.
   * @param totp as it was found: one that was removed or replaced meanwhile has no codes
   * @param step undefined: codes may be used again
   */
  use(user: string, totp: StoredTotp, step: UsedStep | undefined, now: EpochMs): Promise<boolean>
  remove(user: string): Promise<boolean>
  sweep(now: EpochMs, limit: number): Promise<number>
}

const placeOf = (user: string): string => sealedPlace('totp', 'secret', [user])

export function createTotpStore(
  storage: Pick<Storage, 'db' | 'transaction'>,
  sealer: Sealer,
): TotpStore {
  const open = async () => (await storage.db()).$extendTables<Tables>()
  const alone = <T>(user: string, work: (db: Kysely<Tables>) => Promise<T>) =>
    storage.transaction((db) => work(db.$extendTables<Tables>()), { locks: [`totp:${user}`] })
  return {
    async find(user) {
      const row = await (await open())
        .selectFrom('totp')
        .selectAll()
        .where('user_name', '=', user)
        .executeTakeFirst()
      if (row === undefined) return undefined
      const secret = sealer.open(row.secret, placeOf(user))
      if (secret === undefined)
        throw new AppError('STORE_UNAVAILABLE', {
          reason: `the TOTP secret of ${user} does not open with storage.encryption_key`,
        })
      return {
        secret,
        issuer: row.issuer,
        // Written from these types.
        algorithm: row.algorithm as StoredTotp['algorithm'],
        digits: row.digits as StoredTotp['digits'],
        period: row.period,
        createdAt: row.created_at as EpochMs,
        lastUsedAt: row.last_used_at === null ? undefined : (row.last_used_at as EpochMs),
      }
    },
    async has(user) {
      const row = await (await open())
        .selectFrom('totp')
        .select('user_name')
        .where('user_name', '=', user)
        .executeTakeFirst()
      return row !== undefined
    },
    async list() {
      const rows = await (await open())
        .selectFrom('totp')
        .select('user_name')
        .orderBy('user_name')
        .execute()
      return rows.map(({ user_name: name }) => name)
    },
    save: (user, { secret, createdAt, lastUsedAt, issuer, algorithm, digits, period }, used) =>
      alone(user, async (db) => {
        await removeIn(db, user)
        await db
          .insertInto('totp')
          .values({
            ...{ user_name: user, issuer, algorithm, digits, period },
            secret: sealer.seal(secret, placeOf(user)),
            created_at: createdAt,
            last_used_at: lastUsedAt ?? null,
          })
          .execute()
        if (used !== undefined) await insertStep(db, user, used)
      }),
    use: (user, totp, step, now) =>
      alone(user, async (db) => {
        const updated = await db
          .updateTable('totp')
          .set({ last_used_at: now })
          .where('user_name', '=', user)
          .where('created_at', '=', totp.createdAt)
          .executeTakeFirst()
        if (updated.numUpdatedRows !== 1n) return false
        return step === undefined || (await insertStep(db, user, step))
      }),
    remove: (user) => alone(user, (db) => removeIn(db, user)),
    async sweep(now, limit) {
      const gone = await (await open())
        .deleteFrom('totp_used_steps')
        .where(({ eb, refTuple, selectFrom }) =>
          eb(
            refTuple('user_name', 'step'),
            'in',
            selectFrom('totp_used_steps')
              .select(['user_name', 'step'])
              .where('expires_at', '<=', now)
              .limit(limit)
              .$asTuple('user_name', 'step'),
          ),
        )
        .executeTakeFirst()
      return Number(gone.numDeletedRows)
    },
  }
}

/** @returns false when it was used before */
async function insertStep(
  db: Kysely<Tables>,
  user: string,
  { step, expiresAt }: UsedStep,
): Promise<boolean> {
  const inserted = await db
    .insertInto('totp_used_steps')
    .values({ user_name: user, step, expires_at: expiresAt })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirst()
  return inserted.numInsertedOrUpdatedRows === 1n
}

async function removeIn(db: Kysely<Tables>, user: string): Promise<boolean> {
  await db.deleteFrom('totp_used_steps').where('user_name', '=', user).execute()
  const gone = await db.deleteFrom('totp').where('user_name', '=', user).executeTakeFirst()
  return gone.numDeletedRows > 0n
}
