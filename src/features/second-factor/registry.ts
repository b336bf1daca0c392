import type { Clock } from '../../kernel/clock.ts'
import type { Storage } from '../../storage/index.ts'
import type { FactorRegistry } from './method.ts'
import { createPreferences } from './preferences.ts'
import type { Tables } from './tables.ts'

/**
 * The factors of a database, for operations with and without a server. It opens nothing that is sealed.
 * @param removals of the methods that keep tables of their own; each returns how many factors it removed
 */
export function createFactorRegistry({
  storage,
  clock,
  removals = [],
}: {
  readonly storage: Pick<Storage, 'db' | 'transaction'>
  readonly clock: Clock
  readonly removals?: readonly ((user: string) => Promise<number>)[]
}): FactorRegistry {
  const preferences = createPreferences({ storage, clock })
  return {
    async kindsOf(users) {
      const kinds = new Map<string, string[]>()
      if (users.length === 0) return kinds
      const db = (await storage.db()).$extendTables<Tables & Keys>()
      for (const [kind, table] of KINDS) {
        const rows = await db
          .selectFrom(table)
          .select('user_name')
          .distinct()
          .where('user_name', 'in', users)
          .execute()
        for (const { user_name: user } of rows) kinds.set(user, [...(kinds.get(user) ?? []), kind])
      }
      return kinds
    },
    async removeAll(user) {
      const own = await storage.transaction(
        async (plain) => {
          const db = plain.$extendTables<Tables>()
          const of = (table: keyof Tables) => db.deleteFrom(table).where('user_name', '=', user)
          const totp = await of('totp').executeTakeFirst()
          const sets = await of('recovery_code_sets').executeTakeFirst()
          for (const table of REST) await of(table).execute()
          return Number(totp.numDeletedRows + sets.numDeletedRows)
        },
        { locks: [`totp:${user}`, `recovery-codes:${user}`, `wrong-codes:${user}`] },
      )
      let removed = own
      for (const remove of removals) removed += await remove(user)
      return removed
    },
    invite: preferences.invite,
  }
}

const REST = [
  'totp_used_steps',
  'recovery_codes',
  'second_factor_wrong_codes',
  'second_factor_preferences',
  'second_factor_invitations',
  'trusted_devices',
] as const

/** The method's own table; here it is only asked who has a key. */
type Keys = { webauthn_credentials: { user_name: string } }

const KINDS = [
  ['totp', 'totp'],
  ['webauthn', 'webauthn_credentials'],
  ['recovery_code', 'recovery_code_sets'],
] as const
