import { z } from 'zod'
import { filePath } from '../../../../kernel/scalars.ts'
import { PasswordConfig } from '../../hashing.ts'

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
