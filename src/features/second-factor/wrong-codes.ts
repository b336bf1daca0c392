import type { Kysely } from 'kysely'
import type { Clock } from '../../kernel/clock.ts'
import { AppError } from '../../kernel/errors.ts'
import type { Storage } from '../../storage/index.ts'
import type { Tables } from './tables.ts'

/** So many wrong codes cost nothing. */
export const FREE = 5
const FIRST_WAIT = 30_000
const LONGEST_WAIT = 900_000
/** Without a wrong code for so long, the count begins anew. Within it, waiting for that gains less than trying. */
const FORGOTTEN_AFTER = 86_400_000

/** Milliseconds until the next try after so many wrong codes: nothing, then 30 s, doubled each time up to 15 min. */
export const waitAfter = (failures: number): number =>
  failures < FREE ? 0 : Math.min(FIRST_WAIT * 2 ** Math.min(failures - FREE, 10), LONGEST_WAIT)

/**
 * The limit on wrong codes of one user, over all methods, sessions and nodes. In the database that all nodes share: each
 * attempt is one transaction that no other of this user runs beside.
 */
export interface WrongCodes {
  /** As `SecondFactor.attempt`. @param full told when the attempt is the one after which the user has to wait first */
  attempt<T>(
    user: string,
    check: () => Promise<T | undefined>,
    full: () => void,
  ): Promise<T | undefined>
  /** The user has shown a second factor: the count is over. @throws AppError STORE_UNAVAILABLE */
  clear(user: string): Promise<void>
}

export function createWrongCodes({
  storage,
  clock,
}: {
  readonly storage: Pick<Storage, 'db' | 'transaction'>
  readonly clock: Clock
}): WrongCodes {
  const alone = <T>(user: string, work: (db: Kysely<Tables>) => Promise<T>) =>
    storage.transaction((db) => work(db.$extendTables<Tables>()), {
      locks: [`wrong-codes:${user}`],
    })

  /** Counts a wrong code, before it is known to be one. @returns how many there are, and until when no other is admitted */
  const count = (user: string) =>
    alone(user, async (db) => {
      const now = clock.now()
      const row = await rowOf(db, user)
      if (row !== undefined && row.free_at > now) return { wait: row.free_at - now }
      const isOld = row === undefined || row.last_at <= now - FORGOTTEN_AFTER
      const failures = (isOld ? 0 : row.failures) + 1
      const waits = waitAfter(failures)
      const next = { failures, free_at: waits === 0 ? 0 : now + waits, last_at: now }
      await db
        .insertInto('second_factor_wrong_codes')
        .values({ user_name: user, ...next })
        .onConflict((conflict) => conflict.column('user_name').doUpdateSet(next))
        .execute()
      return { wait: 0, failures, freeAt: next.free_at }
    })

  /** Takes back what `count` counted: only its own, and only the wait that it began. */
  const giveBack = (user: string, freeAt: number) =>
    alone(user, async (db) => {
      const row = await rowOf(db, user)
      if (row === undefined) return
      const failures = Math.max(0, row.failures - 1)
      const ends = row.free_at === freeAt || failures < FREE
      await db
        .updateTable('second_factor_wrong_codes')
        .set({ failures, ...(ends && { free_at: 0 }) })
        .where('user_name', '=', user)
        .execute()
    })

  return {
    async attempt(user, check, full) {
      const counted = await count(user)
      if (counted.failures === undefined)
        throw new AppError(
          'SECOND_FACTOR_LIMITED',
          {},
          { retryAfter: Math.max(1, Math.ceil(counted.wait / 1000)) },
        )
      const right = await check()
      if (right === undefined) {
        if (counted.failures === FREE) full()
        return undefined
      }
      await giveBack(user, counted.freeAt)
      return right
    },
    async clear(user) {
      await (await storage.db())
        .$extendTables<Tables>()
        .deleteFrom('second_factor_wrong_codes')
        .where('user_name', '=', user)
        .execute()
    },
  }
}

const rowOf = (db: Kysely<Tables>, user: string) =>
  db
    .selectFrom('second_factor_wrong_codes')
    .selectAll()
    .where('user_name', '=', user)
    .executeTakeFirst()
