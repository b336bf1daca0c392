import { z } from 'zod'
import { PasswordConfig } from '../../hashing.ts'

export const DatabaseConfig = z
  .strictObject({
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
          .describe('People may write their name in any case. Names are lower case then.'),
      })
      .prefault({}),
  })
  .optional()
  .describe(
    'Users in the configured database instead of a file: SQLite, or PostgreSQL with `storage.postgres`, where several instances share them.',
  )
export type DatabaseConfig = NonNullable<z.infer<typeof DatabaseConfig>>
