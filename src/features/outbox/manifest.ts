import { defineManifest } from '../../kernel/feature.ts'

export default defineManifest({
  sealed: [{ table: 'outbox', column: 'payload', key: ['id'] }],
  migrations: {
    '0010_outbox': {
      up: async (db, { table, text, integer, bytes }) => {
        await table(db, 'outbox')
          .addColumn('id', text, (column) => column.primaryKey())
          .addColumn('channel', text, (column) => column.notNull())
          .addColumn('kind', text, (column) => column.notNull())
          .addColumn('created_at', integer, (column) => column.notNull())
          .addColumn('expires_at', integer, (column) => column.notNull())
          .addColumn('next_at', integer, (column) => column.notNull())
          .addColumn('attempts', integer, (column) => column.notNull())
          .addColumn('problem', text, (column) => column.notNull())
          .addColumn('holder', text, (column) => column.notNull())
          .addColumn('held_until', integer, (column) => column.notNull())
          .addColumn('payload', bytes, (column) => column.notNull())
          .execute()
        await db.schema.createIndex('outbox_by_next').on('outbox').column('next_at').execute()
        await db.schema.createIndex('outbox_by_expiry').on('outbox').column('expires_at').execute()
      },
    },
  },
})
