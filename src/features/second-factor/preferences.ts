import type { Clock } from '../../kernel/clock.ts'
import type { Storage } from '../../storage/index.ts'
import { METHOD_NAMES, type MethodName } from './method.ts'
import type { Tables } from './tables.ts'

/** What is kept of a user besides the factors: the preferred method, and whether the first factor may be enrolled. */
export interface Preferences {
  preferred(user: string): Promise<MethodName | undefined>
  setPreferred(user: string, method: MethodName): Promise<void>
  isInvited(user: string): Promise<boolean>
  invite(user: string): Promise<void>
  /** Ends the invitation. */
  enrolled(user: string): Promise<void>
  /** Forgets the preferred method. An invitation stays. */
  forget(user: string): Promise<void>
}

export function createPreferences({
  storage,
  clock,
}: {
  readonly storage: Pick<Storage, 'db'>
  readonly clock: Clock
}): Preferences {
  const open = async () => (await storage.db()).$extendTables<Tables>()
  return {
    async preferred(user) {
      const row = await (await open())
        .selectFrom('second_factor_preferences')
        .select('method')
        .where('user_name', '=', user)
        .executeTakeFirst()
      return METHOD_NAMES.find((name) => name === row?.method)
    },
    async setPreferred(user, method) {
      await (await open())
        .insertInto('second_factor_preferences')
        .values({ user_name: user, method })
        .onConflict((conflict) => conflict.column('user_name').doUpdateSet({ method }))
        .execute()
    },
    async isInvited(user) {
      const row = await (await open())
        .selectFrom('second_factor_invitations')
        .select('user_name')
        .where('user_name', '=', user)
        .executeTakeFirst()
      return row !== undefined
    },
    async invite(user) {
      await (await open())
        .insertInto('second_factor_invitations')
        .values({ user_name: user, created_at: clock.now() })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    async enrolled(user) {
      await (await open())
        .deleteFrom('second_factor_invitations')
        .where('user_name', '=', user)
        .execute()
    },
    async forget(user) {
      await (await open())
        .deleteFrom('second_factor_preferences')
        .where('user_name', '=', user)
        .execute()
    },
  }
}
