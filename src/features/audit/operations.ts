/** What may be asked of the audit trail. A leaf: the command line loads it without the rest of the feature. */
import { z } from 'zod'
import type { EpochMs } from '../../kernel/clock.ts'
import { defineOperation } from '../../kernel/operation.ts'
import { OperatorError } from '../../kernel/operator-error.ts'
import type { AuditEvent } from './event.ts'
import { EVENT_NAMES, type EventName } from './events.ts'
import type { Selection } from './store.ts'

/** Of the audit trail, what is needed here. */
interface Trail {
  readonly audit: {
    /** Newest first; undefined when nothing is kept. */
    list(selection: Selection): Promise<readonly AuditEvent[] | undefined>
  }
}

/** The time in milliseconds since the epoch. */
const auditRow = z.object({
  id: z.string(),
  time: z.number(),
  name: z.string(),
  user: z.string(),
  actor: z.string(),
  address: z.string(),
  userAgent: z.string(),
  requestId: z.string(),
  details: z.record(z.string(), z.union([z.string(), z.number(), z.boolean()])),
})
export type AuditRow = z.infer<typeof auditRow>

export const MAX_AUDIT_ROWS = 10_000

export const listAudit = defineOperation({
  name: 'audit.list',
  summary: 'list events, newest first: sign-ins, failures, bans, revocations …',
  who: 'operator',
  input: z.strictObject({
    user: z.string().max(320).optional(),
    events: z.array(z.string().max(64)).min(1).max(100).optional(),
    /** Milliseconds since the epoch. */
    since: z.number().optional(),
    limit: z.int().min(1).max(MAX_AUDIT_ROWS),
  }),
  output: z.array(auditRow),
  audits: [],
  async run({ audit }: Trail, { user, events, since, limit }) {
    const rows = await audit.list({
      user,
      names: events?.map(eventOf),
      // A time by its place in the input; a number has no brand.
      since: since as EpochMs | undefined,
      limit,
    })
    if (rows === undefined)
      throw new OperatorError(
        'the audit trail is not kept (audit.retention is -1)',
        'set audit.retention, and restart the server',
      )
    return [...rows]
  },
})

function eventOf(asked: string): EventName {
  const known = EVENT_NAMES.find((name) => name === asked)
  if (known !== undefined) return known
  throw new OperatorError(
    `there is no event ${JSON.stringify(asked)}`,
    `the events are ${EVENT_NAMES.join(', ')}`,
  )
}

export const auditOperations = [listAudit] as const
