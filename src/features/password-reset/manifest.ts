import { z } from 'zod'
import { defineManifest } from '../../kernel/feature.ts'
import { duration, secret, webUrl } from '../../kernel/scalars.ts'
import storage from '../../storage/manifest.ts'
import en from './messages/en.json' with { type: 'json' }

/** RFC 7518 §3.2: as long as the hash of HS256. */
const SAFE_SECRET = 32
const DAY = 86_400_000

const passwordReset = z
  .strictObject({
    disable: z
      .boolean()
      .default(false)
      .describe(
        'A forgotten password cannot be reset by mail: the page, the link to it and the API are gone.',
      ),
    custom_url: webUrl()
      .optional()
      .describe('Where the link of the sign-in page leads, in place of our own pages.'),
  })
  .describe('Forgotten passwords (docs/guides/password-reset.md).')

const resetPassword = z
  .strictObject({
    jwt_lifespan: duration()
      .refine((ms) => ms >= 60_000 && ms <= DAY, {
        error: 'is no sensible time for a link in a mail',
        params: { allowed: '1m to 1d' },
      })
      .prefault('5m')
      .describe('How long the link is valid.'),
    jwt_algorithm: z
      .enum(['HS256', 'HS384', 'HS512'])
      .default('HS256')
      .describe('How it is signed. A link that is signed otherwise is refused.'),
    jwt_secret: secret()
      .optional()
      .describe(
        'What it is signed with. Without this key a secret is made in the data directory (`secrets/reset-password`). Several instances need the same one.',
      ),
  })
  .describe('The link in a mail that sets a new password.')

export type ResetPasswordSettings = z.infer<typeof resetPassword>
export type PasswordResetSettings = z.infer<typeof passwordReset>

export default defineManifest({
  paths: ['/api', '/reset-password', '/revoke', '/.well-known'],
  config: {
    'authentication_backend.password_reset': passwordReset.prefault({}),
    'identity_validation.reset_password': resetPassword.prefault({}),
  },
  reads: [storage],
  check(config, report) {
    const { jwt_secret: key } = config['identity_validation.reset_password']
    const path = ['identity_validation', 'reset_password', 'jwt_secret']
    if (key !== undefined && key.reveal().length < SAFE_SECRET)
      report.warn(path, `is shorter than ${SAFE_SECRET} characters: links could be forged`)
  },
  migrations: {
    '0019_password_resets': {
      up: async (db, { table, text, integer }) => {
        await table(db, 'password_resets')
          .addColumn('id', text, (column) => column.primaryKey())
          .addColumn('user_name', text, (column) => column.notNull())
          // Of the mail address that the link was sent to.
          .addColumn('mail_hash', text, (column) => column.notNull())
          // Of the cookie that a script got for its token; empty while the token was not shown.
          .addColumn('grant_hash', text, (column) => column.notNull())
          .addColumn('expires_at', integer, (column) => column.notNull())
          .execute()
        for (const column of ['user_name', 'grant_hash', 'expires_at'])
          await db.schema
            .createIndex(`password_resets_by_${column}`)
            .on('password_resets')
            .column(column)
            .execute()
      },
    },
  },
  messages: { en },
})
