import { z } from 'zod'
import { defineManifest } from '../../kernel/feature.ts'
import { duration, filePath, scalarMeta } from '../../kernel/scalars.ts'
import verify from '../verify/manifest.ts'
import { PasswordConfig } from './hashing.ts'
import { checkPassword } from './hashing-check.ts'

export const FileConfig = z
  .strictObject({
    path: filePath()
      .default('')
      .describe(
        'The users file; `users.yml` in the data directory when empty. Mount its directory, not the file alone: a change replaces the file.',
      ),
    watch: z
      .boolean()
      .default(true)
      .describe(
        'Reads the file again when it changes. A file with a fault is refused, and the last good one stays in force. Without it, SIGHUP reads it again.',
      ),
    password: PasswordConfig,
    search: z
      .strictObject({
        email: z
          .boolean()
          .default(false)
          .describe('People may sign in with their mail address, in any case, too.'),
        case_insensitive: z
          .boolean()
          .default(false)
          .describe(
            'People may write their name in any case. Names must be lower case in the file then.',
          ),
      })
      .prefault({}),
    extra_attributes: z
      .record(
        z.string(),
        z.strictObject({
          multi_valued: z.boolean().default(false).describe('Holds a list of values.'),
          value_type: z
            .enum(['string', 'integer', 'boolean'])
            .describe('What a value is; a file with another one is refused.'),
        }),
      )
      .default({})
      .describe('Attributes that users may have under `extra`, by name.'),
  })
  .prefault({})
export type FileConfig = z.infer<typeof FileConfig>

export const RefreshInterval = z
  .union([
    z
      .enum(['always', 'never', 'disable'])
      .transform((word) => (word === 'disable' ? 'never' : word)),
    duration(),
  ])
  .register(scalarMeta, { idle: 'has no effect: users of a file are always current' })
  .prefault('5m')
  .describe(
    'Without effect, as users of a file are always current. How old what a session knows of its user may get before the user store is asked again: a duration, `always`, or `never` (also `disable`).',
  )

export default defineManifest({
  config: {
    'authentication_backend.file': FileConfig,
    'authentication_backend.refresh_interval': RefreshInterval,
  },
  migrations: {
    '0009_password_marks': {
      embedded: true,
      up: async (db) => {
        const { sql } = await import('kysely')
        // The names stand in the users file too; a mark is a hash of a digest (store.ts).
        await db.schema
          .createTable('password_marks')
          .addColumn('name', 'text', (column) => column.notNull())
          .addColumn('mark', 'text', (column) => column.notNull())
          .addPrimaryKeyConstraint('password_marks_key', ['name', 'mark'])
          .modifyEnd(sql`strict, without rowid`)
          .execute()
      },
    },
  },
  reads: [verify],
  check({ 'authentication_backend.file': { password } }, report, explicit) {
    checkPassword(password, report, explicit)
  },
  async look(
    { 'authentication_backend.file': file, identity_headers: { separator } },
    place,
    report,
  ) {
    const { lookAtUsers } = await import('./look.ts')
    await lookAtUsers(file, separator, place, report)
  },
})
