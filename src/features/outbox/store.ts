/** The table of what is to leave. Any call rejects with AppError STORE_UNAVAILABLE while the database fails. */
import type { Kysely } from 'kysely'
import type { EpochMs } from '../../kernel/clock.ts'
import type { Storage } from '../../storage/index.ts'

/** A claimed row. */
export interface Held {
  readonly id: string
  readonly kind: string
  /** How often it was tried before. */
  readonly attempts: number
  readonly expiresAt: EpochMs
  /** Sealed. */
  readonly payload: Uint8Array
}

export interface Dropped {
  readonly id: string
  readonly channel: string
  readonly kind: string
  readonly attempts: number
  /** Of the last try. */
  readonly problem: string
}

export interface NewRow extends Omit<Held, 'attempts'> {
  readonly channel: string
  readonly createdAt: EpochMs
}

interface Claim {
  readonly channel: string
  readonly holder: string
  readonly now: EpochMs
  readonly until: EpochMs
  readonly limit: number
}

export interface OutboxStore {
  /** All or none. What has the id of one that waits is that one. */
  add(rows: readonly NewRow[]): Promise<void>
  count(channel: string): Promise<number>
  /**
   * Takes what is due and not held, oldest first. Each row goes to one caller, on whatever instance, until `until`.
   */
  claim(claim: Claim): Promise<readonly Held[]>
  /** It left, or is given up. */
  remove(id: string, holder: string): Promise<void>
  /** Gives it back, to be tried again at `nextAt`. */
  postpone(
    id: string,
    holder: string,
    next: { readonly nextAt: EpochMs; readonly attempts: number; readonly problem: string },
  ): Promise<void>
  /** Removes what expired and is not held. @returns what was removed, each to one caller */
  dropExpired(now: EpochMs, limit: number): Promise<readonly Dropped[]>
  /** Gives back everything that is held: for a database that this instance alone uses. */
  releaseAll(): Promise<void>
}

type Tables = {
  outbox: {
    id: string
    channel: string
    kind: string
    created_at: number
    expires_at: number
    next_at: number
    attempts: number
    problem: string
    holder: string
    held_until: number
    payload: Uint8Array
  }
}

type Db = Kysely<Tables>

/** @param storage migrated with this feature's migrations */
export function createOutboxStore(storage: Pick<Storage, 'db'>): OutboxStore {
  const open = async (): Promise<Db> => (await storage.db()).$extendTables<Tables>()

  return {
    async add(rows) {
      if (rows.length > 0) await add(await open(), rows)
    },

    async count(channel) {
      const db = await open()
      const { rows } = await db
        .selectFrom('outbox')
        .select(({ fn }) => fn.countAll<number>().as('rows'))
        .where('channel', '=', channel)
        .executeTakeFirstOrThrow()
      return rows
    },

    claim: async (asked) => claim(await open(), asked),

    async remove(id, holder) {
      const db = await open()
      await db.deleteFrom('outbox').where('id', '=', id).where('holder', '=', holder).execute()
    },

    async postpone(id, holder, { nextAt, attempts, problem }) {
      const db = await open()
      await db
        .updateTable('outbox')
        .set({ next_at: nextAt, attempts, problem, holder: '', held_until: 0 })
        .where('id', '=', id)
        .where('holder', '=', holder)
        .execute()
    },

    dropExpired: async (now, limit) => dropExpired(await open(), now, limit),

    async releaseAll() {
      const db = await open()
      await db
        .updateTable('outbox')
        .set({ holder: '', held_until: 0 })
        .where('holder', '!=', '')
        .execute()
    },
  }
}

async function add(db: Db, rows: readonly NewRow[]): Promise<void> {
  await db
    .insertInto('outbox')
    .values(
      rows.map(({ id, channel, kind, createdAt, expiresAt, payload }) => ({
        ...{ id, channel, kind, created_at: createdAt, expires_at: expiresAt, payload },
        ...{ next_at: createdAt, attempts: 0, problem: '', holder: '', held_until: 0 },
      })),
    )
    .onConflict((conflict) => conflict.column('id').doNothing())
    .execute()
}

async function claim(
  db: Db,
  { channel, holder, now, until, limit }: Claim,
): Promise<readonly Held[]> {
  const due = await db
    .selectFrom('outbox')
    .select('id')
    .where('next_at', '<=', now)
    .where('held_until', '<=', now)
    .where('expires_at', '>', now)
    .where('channel', '=', channel)
    .orderBy('next_at')
    .orderBy('id')
    .limit(limit)
    .execute()
  const held: Held[] = []
  for (const { id } of due) {
    // One statement: of two that try at once, the later one finds it held. `next_at` again, because another instance
    // may have tried and given it back meanwhile.
    const row = await db
      .updateTable('outbox')
      .set({ holder, held_until: until })
      .where('id', '=', id)
      .where('next_at', '<=', now)
      .where('held_until', '<=', now)
      .returning(['id', 'kind', 'attempts', 'expires_at', 'payload'])
      .executeTakeFirst()
    if (row === undefined) continue
    // Written as a time; a column has no brand.
    const expiresAt = row.expires_at as EpochMs
    const { kind, attempts, payload } = row
    held.push({ id, kind, attempts, expiresAt, payload })
  }
  return held
}

async function dropExpired(db: Db, now: EpochMs, limit: number): Promise<readonly Dropped[]> {
  const over = await db
    .selectFrom('outbox')
    .select('id')
    .where('expires_at', '<=', now)
    .where('held_until', '<=', now)
    .limit(limit)
    .execute()
  if (over.length === 0) return []
  return db
    .deleteFrom('outbox')
    .where(
      'id',
      'in',
      over.map(({ id }) => id),
    )
    .where('held_until', '<=', now)
    .returning(['id', 'channel', 'kind', 'attempts', 'problem'])
    .execute()
}
