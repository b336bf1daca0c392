import { defineManifest } from '../../kernel/feature.ts'

export default defineManifest({
  migrations: {
    '0012_opaque_identifiers': {
      up: async (db, { table, text }) => {
        await table(db, 'opaque_identifiers')
          .addColumn('service', text, (column) => column.notNull())
          .addColumn('sector', text, (column) => column.notNull())
          .addColumn('user_name', text, (column) => column.notNull())
          .addColumn('identifier', text, (column) => column.notNull().unique())
          .addPrimaryKeyConstraint('opaque_identifiers_key', ['service', 'sector', 'user_name'])
          .execute()
      },
    },
  },
})
