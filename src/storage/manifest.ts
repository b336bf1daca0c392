import { z } from 'zod'
import type { Manifest } from '../kernel/feature.ts'
import { secret } from '../kernel/scalars.ts'
import { postgres } from './postgres-config.ts'

// A function of its own: inside `export default` TypeScript leaves the name of the file as it is in what it builds.
const look: Manifest['look'] = async (config, place, report) => {
  // The slice was parsed by the schema above.
  const folder = (config['certificates_directory'] as string | undefined) ?? ''
  if (folder === '') return
  const { lookAtCertificates } = await import('./look.ts')
  lookAtCertificates(folder, place, report)
}

export default {
  config: {
    certificates_directory: z
      .string()
      .optional()
      .describe(
        'A folder of certificates (`*.pem`, `*.crt`, `*.cer`) that are trusted besides the usual, by connections that ' +
          'Vestibule opens.',
      ),
    storage: z
      .object({
        local: z
          .object({
            path: z
              .string()
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
          .describe('Seals secrets that are kept in the database. At least 20 characters.'),
      })
      .prefault({})
      .describe('Where Vestibule keeps what must outlive a restart.'),
  },
  look,
} satisfies Manifest
