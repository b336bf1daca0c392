import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Storage } from '../../storage/index.ts'
import type { Tables } from './tables.ts'

/** So many codes within so many lifespans of a code, as Authelia's limits are. */
const LIMITS = [
  { count: 3, lifespans: 1 },
  { count: 5, lifespans: 2 },
  { count: 15, lifespans: 12 },
] as const

/** How often a user is sent a code: over all sessions and nodes, in the database that they share. */
export interface CodeRequests {
  /** @throws AppError MAILED_CODES_LIMITED with `retryAfter`; it is not counted then */
  count(user: string): Promise<void>
}

/** @param lifetime of a code, in milliseconds */
export function createCodeRequests({
  storage,
  clock,
  lifetime,
}: {
  readonly storage: Pick<Storage, 'transaction'>
  readonly clock: Clock
  readonly lifetime: number
}): CodeRequests {
  const longest = Math.max(...LIMITS.map(({ lifespans }) => lifespans)) * lifetime
  return {
    async count(user) {
      const wait = await storage.transaction(
        async (untyped) => {
          const db = untyped.$extendTables<Tables>()
          const now = clock.now()
          await db
            .deleteFrom('mailed_code_requests')
            .where('at', '<=', now - longest)
            .execute()
          const rows = await db
            .selectFrom('mailed_code_requests')
            .select('at')
            .where('user_name', '=', user)
            .orderBy('at', 'desc')
            .execute()
          const waits = LIMITS.map(({ count, lifespans }) => {
            const oldest = rows[count - 1]
            return oldest === undefined ? 0 : oldest.at + lifespans * lifetime - now
          })
          const longestWait = Math.max(0, ...waits)
          if (longestWait === 0)
            await db
              .insertInto('mailed_code_requests')
              .values({ user_name: user, at: now })
              .execute()
          return longestWait
        },
        { locks: [`mailed-codes:${user}`] },
      )
      if (wait > 0)
        throw new AppError('MAILED_CODES_LIMITED', {}, { retryAfter: Math.ceil(wait / 1000) })
    },
  }
}
