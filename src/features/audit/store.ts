import type { EpochMs } from '../../kernel/clock.ts'
import type { Storage } from '../../storage/index.ts'
import { type AuditEvent, idOf } from './event.ts'
import { type Actor, EVENT_NAMES, type EventName } from './events.ts'

/** Which events, newest first. */
export interface Selection {
  /** About this user; '' for events about no user. */
  readonly user?: string | undefined
  readonly names?: readonly EventName[] | undefined
  /** Older than the event of this id. */
  readonly before?: string | undefined
  readonly since?: EpochMs | undefined
  readonly limit: number
}

/** Keeps events. Any call rejects with AppError STORE_UNAVAILABLE while the database fails. */
export interface AuditStore {
  /** All of them or none; those that are there already are left alone. */
  add(events: readonly AuditEvent[]): Promise<void>
  list(selection: Selection): Promise<readonly AuditEvent[]>
  count(): Promise<number>
  /** Forgets at most `limit` of those from before. @returns how many */
  sweep(before: EpochMs, limit: number): Promise<number>
  /** Forgets at most `limit`, those about no user first, then the oldest. @returns how many */
  shed(limit: number): Promise<number>
}

type Tables = {
  audit_events: {
    id: string
    at: number
    name: string
    user_name: string
    actor: string
    address: string
    user_agent: string
    request_id: string
    details: string
  }
}

/** @param storage migrated with this feature's migrations */
export function createAuditStore(storage: Pick<Storage, 'db'>): AuditStore {
  const open = async () => (await storage.db()).$extendTables<Tables>()

  const forget = async (ids: readonly string[]): Promise<number> => {
    if (ids.length === 0) return 0
    const db = await open()
    const { numDeletedRows } = await db
      .deleteFrom('audit_events')
      .where('id', 'in', ids)
      .executeTakeFirstOrThrow()
    return Number(numDeletedRows)
  }

  return {
    async add(events) {
      const db = await open()
      await db
        .insertInto('audit_events')
        .values(
          events.map(({ id, time, name, user, actor, address, userAgent, requestId, details }) => ({
            id,
            at: time,
            name,
            user_name: user,
            actor,
            address,
            user_agent: userAgent,
            request_id: requestId,
            details: JSON.stringify(details),
          })),
        )
        .onConflict((conflict) => conflict.column('id').doNothing())
        .execute()
    },

    async list({ user, names, before, since, limit }) {
      const db = await open()
      let query = db.selectFrom('audit_events').selectAll().orderBy('id', 'desc').limit(limit)
      if (user !== undefined) query = query.where('user_name', '=', user)
      if (names !== undefined) query = query.where('name', 'in', [...names])
      if (before !== undefined) query = query.where('id', '<', before)
      if (since !== undefined) query = query.where('id', '>=', idOf(since))
      return (await query.execute()).flatMap(fromRow)
    },

    async count() {
      const db = await open()
      const { rows } = await db
        .selectFrom('audit_events')
        .select(({ fn }) => fn.countAll<number>().as('rows'))
        .executeTakeFirstOrThrow()
      return rows
    },

    async sweep(before, limit) {
      const db = await open()
      const rows = await db
        .selectFrom('audit_events')
        .select('id')
        .where('id', '<', idOf(before))
        .orderBy('id')
        .limit(limit)
        .execute()
      return forget(rows.map(({ id }) => id))
    },

    async shed(limit) {
      const db = await open()
      const oldest = db.selectFrom('audit_events').select('id').orderBy('id').limit(limit)
      const nobodys = await oldest.where('user_name', '=', '').execute()
      const rows = nobodys.length > 0 ? nobodys : await oldest.execute()
      return forget(rows.map(({ id }) => id))
    },
  }
}

/** A row of a name that this version does not know is passed over: a newer one may have written it. */
function fromRow(row: Tables['audit_events']): readonly AuditEvent[] {
  const name = EVENT_NAMES.find((known) => known === row.name)
  if (name === undefined) return []
  return [
    {
      id: row.id,
      // Written as a time; a column has no brand.
      time: row.at as EpochMs,
      name,
      user: row.user_name,
      // Written by `add` alone.
      actor: row.actor as Actor,
      address: row.address,
      userAgent: row.user_agent,
      requestId: row.request_id,
      details: JSON.parse(row.details),
    },
  ]
}
