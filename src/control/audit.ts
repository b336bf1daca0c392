/** The command about the audit trail, both ends of it: what the server does, and what the command line reads. */
import { z } from 'zod'
import { type AuditEvent, EVENT_NAMES, type Selection } from '../features/audit/index.ts'
import type { EpochMs } from '../kernel/clock.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import type { Command } from './server.ts'

/** Of features/audit, what this command needs. */
interface AuditSource {
  /** Newest first; undefined when nothing is kept. */
  list(selection: Selection): Promise<readonly AuditEvent[] | undefined>
}

/** An event as the command line sees it; the time in milliseconds since the epoch. */
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
export const auditRows = z.array(auditRow)

export const MAX_AUDIT_ROWS = 10_000

const listArgs = z.strictObject({
  user: z.string().max(320).optional(),
  events: z.array(z.string().max(64)).min(1).max(100).optional(),
  /** Milliseconds since the epoch. */
  since: z.number().optional(),
  limit: z.int().min(1).max(MAX_AUDIT_ROWS),
})
export type ListAuditArgs = z.infer<typeof listArgs>

export function auditCommands(audit: AuditSource): Readonly<Record<string, Command>> {
  return {
    'audit.list': async (args): Promise<AuditRow[]> => {
      const { user, events, since, limit } = listArgs.parse(args)
      const names = events?.map((asked) => {
        const known = EVENT_NAMES.find((name) => name === asked)
        if (known === undefined)
          throw new OperatorError(
            `there is no event ${JSON.stringify(asked)}`,
            `the events are ${EVENT_NAMES.join(', ')}`,
          )
        return known
      })
      const rows = await audit.list({
        user,
        names,
        // A time by its place in the arguments; a number has no brand.
        since: since as EpochMs | undefined,
        limit,
      })
      if (rows === undefined)
        throw new OperatorError(
          'the audit trail is not kept (audit.retention is -1)',
          'set audit.retention, and restart the server',
        )
      return rows.map((row) => auditRow.parse({ ...row }))
    },
  }
}
