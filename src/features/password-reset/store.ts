import { createHash } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import type { EpochMs } from '../../kernel/clock.ts'
import type { Storage } from '../../storage/index.ts'

// An alias, not an interface: Kysely wants what has an index signature.
type Row = {
  id: string
  user_name: string
  mail_hash: string
  grant_hash: string
  expires_at: number
}
type Tables = { password_resets: Row }

/** A reset that may still be completed. There is no row of any other. */
export interface OpenReset {
  /** The token's `jti`. */
  readonly id: string
  /** Canonical. */
  readonly user: string
  /** Of the mail address that the link was sent to (`mailHashOf`). */
  readonly mailHash: string
  readonly expiresAt: EpochMs
  /** SHA-256 of the cookie that the token was exchanged for, base64url; '' as long as the token itself counts. */
  readonly grantHash: string
}

/** Says of an address whether it is the one, and nothing else: another one for each reset. */
export const mailHashOf = (id: string, address: string): string =>
  createHash('sha256').update(`${id} ${address}`).digest('base64url')

/** Every call that uses a reset up is one statement: of any number at once, on all instances, one succeeds. */
export interface ResetStore {
  add(reset: OpenReset): Promise<void>
  /** The reset of a token that was not exchanged. */
  byToken(id: string, now: EpochMs): Promise<OpenReset | undefined>
  byGrant(grantHash: string, now: EpochMs): Promise<OpenReset | undefined>
  /** Exchanges the token for a grant. @returns whether this call did */
  exchange(id: string, grant: Pick<OpenReset, 'grantHash' | 'expiresAt'>): Promise<boolean>
  /** Uses it up. @returns whether this call did */
  take(reset: OpenReset): Promise<boolean>
  /** @returns whether it was open, exchanged or not */
  revoke(id: string, user: string): Promise<boolean>
  removeUsers(users: readonly string[]): Promise<void>
  sweep(now: EpochMs, limit: number): Promise<number>
}

export function createResetStore(storage: Storage): ResetStore {
  const open = async () => (await storage.db()).$extendTables<Tables>()
  const one = async (column: 'id' | 'grant_hash', value: string, now: EpochMs) => {
    const row = await (await open())
      .selectFrom('password_resets')
      .selectAll()
      .where(column, '=', value)
      .where('expires_at', '>', now)
      .executeTakeFirst()
    return row === undefined ? undefined : toReset(row)
  }
  return {
    async add({ id, user, mailHash, expiresAt, grantHash }) {
      await (await open())
        .insertInto('password_resets')
        .values({
          ...{ id, user_name: user, mail_hash: mailHash },
          ...{ grant_hash: grantHash, expires_at: expiresAt },
        })
        .execute()
    },
    async byToken(id, now) {
      const found = await one('id', id, now)
      return found?.grantHash === '' ? found : undefined
    },
    byGrant: async (hash, now) => (hash === '' ? undefined : one('grant_hash', hash, now)),
    async exchange(id, { grantHash, expiresAt }) {
      const { numUpdatedRows } = await (await open())
        .updateTable('password_resets')
        .set({ grant_hash: grantHash, expires_at: expiresAt })
        .where('id', '=', id)
        .where('grant_hash', '=', '')
        .executeTakeFirst()
      return numUpdatedRows === 1n
    },
    async take({ id, grantHash }) {
      const { numDeletedRows } = await (await open())
        .deleteFrom('password_resets')
        .where('id', '=', id)
        .where('grant_hash', '=', grantHash)
        .executeTakeFirst()
      return numDeletedRows === 1n
    },
    async revoke(id, user) {
      const { numDeletedRows } = await (await open())
        .deleteFrom('password_resets')
        .where('id', '=', id)
        .where('user_name', '=', user)
        .executeTakeFirst()
      return numDeletedRows === 1n
    },
    async removeUsers(users) {
      const db = await open()
      for (const user of users)
        await db.deleteFrom('password_resets').where('user_name', '=', user).execute()
    },
    sweep: async (now, limit) => sweep(await open(), now, limit),
  }
}

async function sweep(db: Kysely<Tables>, now: EpochMs, limit: number): Promise<number> {
  const { numDeletedRows } = await db
    .deleteFrom('password_resets')
    .where('id', 'in', (query) =>
      query.selectFrom('password_resets').select('id').where('expires_at', '<=', now).limit(limit),
    )
    .executeTakeFirst()
  return Number(numDeletedRows)
}

const toReset = (row: Selectable<Row>): OpenReset => ({
  id: row.id,
  user: row.user_name,
  mailHash: row.mail_hash,
  // As: only times in milliseconds are written.
  expiresAt: row.expires_at as EpochMs,
  grantHash: row.grant_hash,
})
