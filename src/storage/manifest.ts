import { z } from 'zod'
import { defineManifest } from '../kernel/feature.ts'
import { filePath, secret } from '../kernel/scalars.ts'
import { postgres } from './postgres-config.ts'

export default defineManifest({
  config: {
    certificates_directory: filePath()
      .optional()
      .describe(
        'A folder of certificates (`*.pem`, `*.crt`, `*.cer`) that are trusted besides the usual, by connections that ' +
          'Vestibule opens.',
      ),
    storage: z
      .object({
        local: z
          .object({
            path: filePath()
              .default('')
              .describe(
                'The SQLite file. Empty: `vestibule.sqlite3` in `data_directory`. A file of another program is refused.',
              ),
          })
          .prefault({})
          .describe('The embedded database; it is there in any case.'),
        postgres: postgres().optional(),
        encryption_key: secret()
          .refine((key) => key.reveal().length >= 20, {
            error: 'is too short',
            params: { allowed: 'at least 20 characters' },
          })
          .optional()
          .describe(
            'Seals secrets that are kept in the database, such as those of second factors. At least 20 characters. Without ' +
              'it a key is made in `data_directory` (`secrets/encryption`). Servers that share a PostgreSQL database need ' +
              'the same key. To change it: `vestibule storage encryption change-key`.',
          ),
      })
      .prefault({})
      .describe('Where Vestibule keeps what must outlive a restart.'),
  },
  migrations: {
    '0011_storage_encryption': {
      up: async (db, { table, text, bytes }) => {
        await table(db, 'storage_encryption')
          .addColumn('name', text, (column) => column.primaryKey())
          .addColumn('value', bytes, (column) => column.notNull())
          .execute()
      },
    },
  },
  async look({ certificates_directory: folder = '' }, place, report) {
    if (folder === '') return
    const { lookAtCertificates } = await import('./look.ts')
    lookAtCertificates(folder, place, report)
  },
  check({ storage: { local, postgres } }, report) {
    if (postgres !== undefined && local.path !== '')
      report.fault(
        ['storage', 'local'],
        'is given together with storage.postgres: only one of them can be the database',
        'one of them; beside PostgreSQL the embedded file lies in data_directory',
      )
  },
})
