import type { Migration } from '../../kernel/feature.ts'

// Aliases, not interfaces: Kysely wants what has an index signature.
type TotpRow = {
  user_name: string
  /** Sealed. */
  secret: Uint8Array
  issuer: string
  algorithm: string
  digits: number
  period: number
  created_at: number
  last_used_at: number | null
}
/** A code is right once: the first insert of its step uses it up. */
type TotpStepRow = { user_name: string; step: number; expires_at: number }
type RecoverySetRow = {
  user_name: string
  /** Sealed. Keys the hashes of this user's codes. */
  hash_key: Uint8Array
  created_at: number
}
type RecoveryCodeRow = { user_name: string; code_hash: string }
type WrongCodesRow = { user_name: string; failures: number; free_at: number; last_at: number }
type PreferenceRow = { user_name: string; method: string }
/** A code that was mailed. */
type MailedCodeRow = { user_name: string; at: number }
type InvitationRow = { user_name: string; created_at: number }

type TrustedDeviceRow = {
  device: string
  user_name: string
  domain: string
  mark: string
  trusted_at: number
  expires_at: number
}

export type Tables = {
  trusted_devices: TrustedDeviceRow
  totp: TotpRow
  totp_used_steps: TotpStepRow
  recovery_code_sets: RecoverySetRow
  recovery_codes: RecoveryCodeRow
  second_factor_wrong_codes: WrongCodesRow
  second_factor_preferences: PreferenceRow
  second_factor_invitations: InvitationRow
  mailed_code_requests: MailedCodeRow
}

export const migrations = {
  '0013_totp': {
    up: async (db, { table, text, integer, bytes }) => {
      await table(db, 'totp')
        .addColumn('user_name', text, (column) => column.primaryKey())
        .addColumn('secret', bytes, (column) => column.notNull())
        .addColumn('issuer', text, (column) => column.notNull())
        .addColumn('algorithm', text, (column) => column.notNull())
        .addColumn('digits', integer, (column) => column.notNull())
        .addColumn('period', integer, (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .addColumn('last_used_at', integer)
        .execute()
      await table(db, 'totp_used_steps')
        .addColumn('user_name', text, (column) => column.notNull())
        .addColumn('step', integer, (column) => column.notNull())
        .addColumn('expires_at', integer, (column) => column.notNull())
        .addPrimaryKeyConstraint('totp_used_steps_key', ['user_name', 'step'])
        .execute()
      await db.schema
        .createIndex('totp_used_steps_by_end')
        .on('totp_used_steps')
        .column('expires_at')
        .execute()
    },
  },
  '0014_recovery_codes': {
    up: async (db, { table, text, integer, bytes }) => {
      await table(db, 'recovery_code_sets')
        .addColumn('user_name', text, (column) => column.primaryKey())
        .addColumn('hash_key', bytes, (column) => column.notNull())
        .addColumn('created_at', integer, (column) => column.notNull())
        .execute()
      await table(db, 'recovery_codes')
        .addColumn('user_name', text, (column) => column.notNull())
        .addColumn('code_hash', text, (column) => column.notNull())
        .addPrimaryKeyConstraint('recovery_codes_key', ['user_name', 'code_hash'])
        .execute()
    },
  },
  '0015_second_factor': {
    up: async (db, { table, text, integer }) => {
      await table(db, 'second_factor_wrong_codes')
        .addColumn('user_name', text, (column) => column.primaryKey())
        .addColumn('failures', integer, (column) => column.notNull())
        .addColumn('free_at', integer, (column) => column.notNull())
        .addColumn('last_at', integer, (column) => column.notNull())
        .execute()
      await table(db, 'second_factor_preferences')
        .addColumn('user_name', text, (column) => column.primaryKey())
        .addColumn('method', text, (column) => column.notNull())
        .execute()
      await table(db, 'second_factor_invitations')
        .addColumn('user_name', text, (column) => column.primaryKey())
        .addColumn('created_at', integer, (column) => column.notNull())
        .execute()
    },
  },
  '0018_mailed_codes': {
    up: async (db, { table, text, integer }) => {
      await table(db, 'mailed_code_requests')
        .addColumn('user_name', text, (column) => column.notNull())
        .addColumn('at', integer, (column) => column.notNull())
        .execute()
      for (const column of ['user_name', 'at'] as const)
        await db.schema
          .createIndex(`mailed_code_requests_by_${column}`)
          .on('mailed_code_requests')
          .column(column)
          .execute()
    },
  },
  '0022_trusted_devices': {
    up: async (db, { table, text, integer }) => {
      await table(db, 'trusted_devices')
        .addColumn('device', text, (column) => column.primaryKey())
        .addColumn('user_name', text, (column) => column.notNull())
        .addColumn('domain', text, (column) => column.notNull())
        .addColumn('mark', text, (column) => column.notNull())
        .addColumn('trusted_at', integer, (column) => column.notNull())
        .addColumn('expires_at', integer, (column) => column.notNull())
        .execute()
      for (const column of ['user_name', 'expires_at'])
        await db.schema
          .createIndex(`trusted_devices_by_${column}`)
          .on('trusted_devices')
          .column(column)
          .execute()
    },
  },
} as const satisfies Readonly<Record<string, Migration>>
