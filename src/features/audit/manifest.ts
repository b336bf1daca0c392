import { z } from 'zod'
import { defineManifest } from '../../kernel/feature.ts'
import { isLoopback } from '../../kernel/host.ts'
import { duration, durationOrOff, secret, webUrl } from '../../kernel/scalars.ts'
import { EVENT_NAMES, type EventName } from './events.ts'

const audit = z.strictObject({
  log: z
    .boolean()
    .default(true)
    .describe(
      'Writes each event as a line of the log, at `info`: `msg="audit" event=login.succeeded …`.',
    ),
  retention: durationOrOff()
    .prefault('90d')
    .describe(
      'How long events are kept in the database. `-1` keeps none there: people then see no history of theirs.',
    ),
  max_events: z
    .int()
    .min(1000)
    .default(1_000_000)
    .describe(
      'How many events are kept at most, some 300 bytes each. Past it those about no user go first, then the oldest.',
    ),
  webhook: z
    .strictObject({
      url: webUrl()
        .refine(
          (value) => {
            const url = URL.parse(value)
            return url?.protocol === 'https:' || (url !== null && isLoopback(url.hostname))
          },
          {
            error: 'is not https',
            params: {
              allowed: 'https://…, or http:// on this machine (127.0.0.1, ::1, localhost)',
            },
          },
        )
        .describe('Where each event is posted to as JSON. Redirects are not followed.'),
      secret: secret()
        .refine((value) => value.reveal().length >= 20, {
          error: 'is too short',
          params: { allowed: 'at least 20 characters' },
        })
        .describe(
          'Signs each post with HMAC-SHA256, time included, as https://www.standardwebhooks.com describes it. At least ' +
            '20 characters; `whsec_…` is taken as base64.',
        ),
      events: z
        .array(z.enum(EVENT_NAMES as readonly [EventName, ...EventName[]])) // the table is not empty
        .min(1)
        .optional()
        .describe('Which events are posted; all of them when left out.'),
      timeout: duration()
        .refine((ms) => ms >= 100 && ms <= 60_000, {
          error: 'is no sensible time',
          params: { allowed: '100ms to 1m' },
        })
        .prefault('10s')
        .describe(
          'How long an answer may take. Without one, the post is tried again, later and later.',
        ),
    })
    .optional()
    .describe('Tells another program of each event.'),
})

export type AuditConfig = z.infer<typeof audit>

export default defineManifest({
  config: {
    audit: audit
      .prefault({})
      .describe('Who signed in, who tried to, and who changed what (docs/guides/audit.md).'),
  },
  migrations: {
    '0002_audit': {
      up: async (db, { table, text, integer }) => {
        await table(db, 'audit_events')
          .addColumn('id', text, (column) => column.primaryKey())
          .addColumn('at', integer, (column) => column.notNull())
          .addColumn('name', text, (column) => column.notNull())
          .addColumn('user_name', text, (column) => column.notNull())
          .addColumn('actor', text, (column) => column.notNull())
          .addColumn('address', text, (column) => column.notNull())
          .addColumn('user_agent', text, (column) => column.notNull())
          .addColumn('request_id', text, (column) => column.notNull())
          .addColumn('details', text, (column) => column.notNull())
          .execute()
        await db.schema
          .createIndex('audit_events_by_user')
          .on('audit_events')
          .columns(['user_name', 'id'])
          .execute()
      },
    },
  },
})
