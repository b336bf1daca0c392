/** What an archive says of itself, in its first entry: every file with its size and its SHA-256. */
import { z } from 'zod'

export const MANIFEST = 'manifest.json'
export const MAX_MANIFEST = 1024 * 1024
export const DATABASE = 'vestibule.sqlite3'
export const USERS = 'users.yml'

/** Nothing else is written by a restore: no other folder, and no way out of this one. */
const NAME =
  /^(?:vestibule\.sqlite3|users\.yml|secrets\/[a-z0-9][a-z0-9_.-]{0,100}|config\/[A-Za-z0-9][A-Za-z0-9_.-]{0,200})$/

export const Manifest = z.strictObject({
  format: z.literal(1),
  /** Of the program that made it. */
  version: z.string().max(100),
  createdAt: z.iso.datetime(),
  files: z
    .array(
      z.strictObject({
        name: z.string().regex(NAME),
        size: z.int().min(0),
        sha256: z.hash('sha256'),
      }),
    )
    .min(1)
    .max(1000)
    .refine((files) => new Set(files.map(({ name }) => name)).size === files.length),
})
export type Manifest = z.infer<typeof Manifest>
export type ArchivedFile = Manifest['files'][number]
