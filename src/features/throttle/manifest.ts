import { z } from 'zod'
import { formatDuration } from '../../kernel/duration.ts'
import { defineManifest } from '../../kernel/feature.ts'
import { duration, scalarMeta } from '../../kernel/scalars.ts'
import { parseLimits, type Windows } from './limits.ts'

const limits = () =>
  z
    .string()
    .transform((value, context): Windows => {
      const parsed = parseLimits(value)
      if (parsed.ok) return parsed.windows
      context.issues.push({
        code: 'custom',
        input: value,
        message: parsed.problem,
        params: { allowed: parsed.allowed },
      })
      return z.NEVER
    })
    .register(scalarMeta, {
      form: 'limits',
      pattern: '^\\s*([Dd][Ii][Ss][Aa][Bb][Ll][Ee]|\\d+\\s*(/|[Pp][Ee][Rr]).*)\\s*$',
    })

export const Regulation = z
  .strictObject({
    modes: z
      .array(z.enum(['user', 'ip']))
      .default(['user'])
      .describe('What is banned: the user, the client address (IPv6 by /64), or both.'),
    max_retries: z
      .int()
      .min(0)
      .default(3)
      .describe(
        'How many wrong passwords within `find_time` make a ban; 0 never makes one, and the start says so.',
      ),
    find_time: duration()
      .prefault('2m')
      .describe('How long a wrong password counts. 0 is the default, as in Authelia.'),
    ban_time: duration()
      .prefault('5m')
      .describe(
        'How long a ban lasts, from the last wrong password; at least `find_time`. 0 is the default, as in Authelia.',
      ),
  })
  .prefault({})
  .describe(
    'Bans after too many wrong passwords. A banned sign-in is answered exactly like a wrong password. A browser that the ' +
      'user has signed in with before has a count of its own: failures of other clients do not stop it. See `vestibule bans`.',
  )

const DEFAULTS = Regulation.parse({})

/** What a configuration means: a duration of 0 is the default. A ban of no time, or a count over none, would be no ban. */
export const inForce = <R extends Pick<z.infer<typeof Regulation>, 'find_time' | 'ban_time'>>(
  given: R,
): R => ({
  ...given,
  find_time: given.find_time || DEFAULTS.find_time,
  ban_time: given.ban_time || DEFAULTS.ban_time,
})

export default defineManifest({
  config: {
    regulation: Regulation,
    failed_login_rate_limit: limits()
      .prefault('1/second;5/minute;20/hour')
      .describe(
        'How many wrong passwords one client address may try: `N/period` or `N per M periods`, from second to year, ' +
          'several of them separated by `;`, `,` or `|`. All hold at once; right passwords do not count. IPv6 counts by ' +
          '/64; a browser that a user has signed in with before counts by itself. Past it the answer is 429 with ' +
          'Retry-After; a browser that has waited gets one attempt, whatever others have failed meanwhile. `disable` turns it off.',
      ),
  },
  check({ regulation: given }, report) {
    if (given.max_retries === 0)
      report.warn(
        ['regulation', 'max_retries'],
        '0 turns bans off: wrong passwords for one user, from many addresses, are not limited',
      )
    for (const key of ['find_time', 'ban_time'] as const)
      if (given[key] === 0)
        report.warn(
          ['regulation', key],
          `0 is the default, ${formatDuration(DEFAULTS[key])}; max_retries: 0 turns bans off`,
        )
    const { find_time, ban_time } = inForce(given)
    if (find_time > ban_time)
      report.fault(
        ['regulation'],
        'find_time is longer than ban_time',
        'a ban_time of at least find_time',
      )
  },
  migrations: {
    '0003_throttle': {
      up: async (db, { table, text, integer }) => {
        await table(db, 'regulation_attempts')
          .addColumn('id', text, (column) => column.primaryKey())
          .addColumn('at', integer, (column) => column.notNull())
          .addColumn('user_name', text, (column) => column.notNull())
          .addColumn('address', text, (column) => column.notNull())
          .addColumn('device', text, (column) => column.notNull())
          .execute()
        for (const column of ['user_name', 'address', 'device'])
          await db.schema
            .createIndex(`regulation_attempts_by_${column}`)
            .on('regulation_attempts')
            .columns([column, 'at'])
            .execute()
        await db.schema
          .createIndex('regulation_attempts_by_time')
          .on('regulation_attempts')
          .column('at')
          .execute()
        await table(db, 'bans')
          .addColumn('id', text, (column) => column.primaryKey())
          .addColumn('kind', text, (column) => column.notNull())
          .addColumn('subject', text, (column) => column.notNull())
          .addColumn('source', text, (column) => column.notNull())
          .addColumn('reason', text, (column) => column.notNull())
          .addColumn('created_by', text, (column) => column.notNull())
          .addColumn('created_at', integer, (column) => column.notNull())
          .addColumn('expires_at', integer)
          .execute()
        await db.schema
          .createIndex('bans_by_subject')
          .on('bans')
          .columns(['subject', 'kind'])
          .execute()
        await table(db, 'known_devices')
          .addColumn('id', text, (column) => column.primaryKey())
          .addColumn('token_hash', text, (column) => column.notNull())
          .addColumn('user_name', text, (column) => column.notNull())
          .addColumn('address', text, (column) => column.notNull())
          .addColumn('user_agent', text, (column) => column.notNull())
          .addColumn('created_at', integer, (column) => column.notNull())
          .addColumn('last_seen', integer, (column) => column.notNull())
          .addColumn('expires_at', integer, (column) => column.notNull())
          .execute()
        for (const column of ['token_hash', 'user_name'])
          await db.schema
            .createIndex(`known_devices_by_${column}`)
            .on('known_devices')
            .column(column)
            .execute()
      },
    },
  },
})
