/** The tables of users in the database. */
import type { Migration } from '../../../../kernel/feature.ts'

// Aliases, not interfaces: Kysely wants what has an index signature.
export type UserRow = {
  name: string
  /** The name as it is looked up: NFC, and NFC in lower case. */
  name_nfc: string
  name_lower: string
  display_name: string
  email: string
  mail_lower: string
  digest: string
  /** Of the digest: how much work a check is. */
  weight: number
  /** The mark of the digest that this one replaced, when both were made from the same password; else ''. */
  continues: string
  /** JSON. */
  groups: string
  disabled: number
  expires_at: number | null
  must_change_password: number
  /** JSON. */
  attributes: string
  version: number
}
export type Tables = {
  users: UserRow
  user_groups: { group_name: string; name: string }
  /** The words under which users are found (search-terms.ts). */
  user_terms: { term: string; name: string }
  /** What changed, in the order of the commits: how other instances hear of it. */
  user_changes: { id: number; name: string; added: number; invalidated: number; at: number }
}

export const migrations = {
  '0020_users': {
    up: async (db, { table, text, integer }) => {
      await table(db, 'users')
        .addColumn('name', text, (column) => column.primaryKey())
        .addColumn('name_nfc', text, (column) => column.notNull().unique())
        .addColumn('name_lower', text, (column) => column.notNull())
        .addColumn('display_name', text, (column) => column.notNull())
        .addColumn('email', text, (column) => column.notNull())
        .addColumn('mail_lower', text, (column) => column.notNull())
        .addColumn('digest', text, (column) => column.notNull())
        .addColumn('weight', integer, (column) => column.notNull())
        .addColumn('continues', text, (column) => column.notNull())
        .addColumn('groups', text, (column) => column.notNull())
        .addColumn('disabled', integer, (column) => column.notNull())
        .addColumn('expires_at', integer)
        .addColumn('must_change_password', integer, (column) => column.notNull())
        .addColumn('attributes', text, (column) => column.notNull())
        .addColumn('version', integer, (column) => column.notNull())
        .execute()
      for (const column of ['name_lower', 'mail_lower', 'weight'])
        await db.schema.createIndex(`users_by_${column}`).on('users').column(column).execute()
      await table(db, 'user_groups')
        .addColumn('group_name', text, (column) => column.notNull())
        .addColumn('name', text, (column) => column.notNull())
        .addPrimaryKeyConstraint('user_groups_key', ['group_name', 'name'])
        .execute()
      await table(db, 'user_terms')
        .addColumn('term', text, (column) => column.notNull())
        .addColumn('name', text, (column) => column.notNull())
        .addPrimaryKeyConstraint('user_terms_key', ['term', 'name'])
        .execute()
      for (const words of ['user_groups', 'user_terms'])
        await db.schema.createIndex(`${words}_by_name`).on(words).column('name').execute()
      await table(db, 'user_changes')
        .addColumn('id', integer, (column) => column.primaryKey())
        .addColumn('name', text, (column) => column.notNull())
        .addColumn('added', integer, (column) => column.notNull())
        .addColumn('invalidated', integer, (column) => column.notNull())
        .addColumn('at', integer, (column) => column.notNull())
        .execute()
    },
  },
  /** The last change after which this instance had ended all sessions that had to end. */
  '0021_user_changes_done': {
    embedded: true,
    up: async (db, { table, integer }) => {
      await table(db, 'user_changes_done')
        .addColumn('id', integer, (column) => column.notNull())
        .execute()
    },
  },
} as const satisfies Readonly<Record<string, Migration>>
