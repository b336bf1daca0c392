import type { EpochMs } from '../../kernel/clock.ts'
import type { Storage } from '../../storage/index.ts'
import type { Tables } from './tables.ts'

export interface StoredTrust {
  /** Id of a known device. */
  readonly device: string
  readonly user: string
  /** Cookie domain. */
  readonly domain: string
  /** What stands for the password of its time; empty where the backend tells none. */
  readonly mark: string
  readonly trustedAt: EpochMs
  readonly expiresAt: EpochMs
}

/** Every call may throw AppError STORE_UNAVAILABLE. */
export interface TrustStore {
  /** Newest first, also those that are over. */
  of(user: string): Promise<readonly StoredTrust[]>
  /** In place of an earlier one of the device. */
  put(trust: StoredTrust): Promise<void>
  /** @returns how many there were */
  forget(of: { readonly user?: string; readonly device?: string }): Promise<number>
  forgetUsers(users: readonly string[]): Promise<void>
  sweep(now: EpochMs, limit: number): Promise<number>
}

export function createTrustStore(storage: Pick<Storage, 'db'>): TrustStore {
  const open = async () => (await storage.db()).$extendTables<Tables>()
  return {
    async of(user) {
      const rows = await (await open())
        .selectFrom('trusted_devices')
        .selectAll()
        .where('user_name', '=', user)
        .orderBy('trusted_at', 'desc')
        .execute()
      return rows.map((row) => ({
        ...{ device: row.device, user: row.user_name, domain: row.domain, mark: row.mark },
        // Written as times; a column has no brand.
        trustedAt: row.trusted_at as EpochMs,
        expiresAt: row.expires_at as EpochMs,
      }))
    },
    async put({ device, user, domain, mark, trustedAt, expiresAt }) {
      const row = { domain, mark, trusted_at: trustedAt, expires_at: expiresAt }
      await (await open())
        .insertInto('trusted_devices')
        .values({ device, user_name: user, ...row })
        .onConflict((conflict) =>
          conflict.column('device').doUpdateSet({ user_name: user, ...row }),
        )
        .execute()
    },
    async forget({ user, device }) {
      if (user === undefined && device === undefined) return 0
      let query = (await open()).deleteFrom('trusted_devices')
      if (user !== undefined) query = query.where('user_name', '=', user)
      if (device !== undefined) query = query.where('device', '=', device)
      return Number((await query.executeTakeFirst()).numDeletedRows)
    },
    async forgetUsers(users) {
      if (users.length === 0) return
      await (await open()).deleteFrom('trusted_devices').where('user_name', 'in', users).execute()
    },
    async sweep(now, limit) {
      const gone = await (await open())
        .deleteFrom('trusted_devices')
        .where('device', 'in', (query) =>
          query
            .selectFrom('trusted_devices')
            .select('device')
            .where('expires_at', '<=', now)
            .limit(limit),
        )
        .executeTakeFirst()
      return Number(gone.numDeletedRows)
    },
  }
}

/** For a ban that an administrator or the operator lifts: what was trusted before it may belong to who caused it. */
export function forgetTrustOf(
  storage: Pick<Storage, 'db'>,
): (ban: { readonly kind: string; readonly name: string }) => Promise<void> {
  const store = createTrustStore(storage)
  return async ({ kind, name }) => {
    if (kind === 'user') await store.forget({ user: name })
    if (kind === 'device') await store.forget({ device: name })
  }
}
