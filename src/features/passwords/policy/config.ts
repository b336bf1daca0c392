import { z } from 'zod'
import type { ConfigReport } from '../../../kernel/feature.ts'
import { filePath, scalarMeta } from '../../../kernel/scalars.ts'

const standard = z
  .strictObject({
    enabled: z.boolean().default(false).describe('This policy holds.'),
    min_length: z
      .int()
      .min(0)
      .max(1024)
      .register(scalarMeta, { zero: 'takes passwords of any length' })
      .default(8)
      .describe('The shortest password, in bytes.'),
    max_length: z
      .int()
      .min(0)
      .max(1024)
      .default(0)
      .describe('The longest password, in bytes; 0 is no limit of its own.'),
    require_uppercase: z.boolean().default(false).describe('A letter A to Z must be in it.'),
    require_lowercase: z.boolean().default(false).describe('A letter a to z must be in it.'),
    require_number: z.boolean().default(false).describe('A digit must be in it.'),
    require_special: z
      .boolean()
      .default(false)
      .describe('Something that is none of these letters and digits must be in it.'),
  })
  .prefault({})
  .describe('By length and kinds of characters.')

const zxcvbn = z
  .strictObject({
    enabled: z.boolean().default(false).describe('This policy holds.'),
    min_score: z
      .int()
      .min(0)
      .max(4)
      .register(scalarMeta, { zero: 'takes every password' })
      .default(3)
      .describe('The least score, 0 (guessed at once) to 4 (very hard to guess).'),
  })
  .prefault({})
  .describe('By how hard a password is to guess.')

const file = () =>
  filePath()
    .refine((path) => path !== '', { error: 'is empty' })
    .optional()

export const PolicyConfig = z
  .strictObject({
    standard,
    zxcvbn,
    breached_file: file().describe(
      'A file of breached passwords, which are refused: lines `SHA1:COUNT`, sorted by hash, as "Pwned Passwords" of Have I Been Pwned is downloaded. It is searched on the disk, however large it is.',
    ),
    common_file: file().describe(
      'A file of common passwords, which are refused whatever their case: one a line, at most 16 MiB.',
    ),
  })
  .prefault({})
  .describe('What new passwords must be like (docs/guides/password-reset.md).')
export type PolicyConfig = z.infer<typeof PolicyConfig>

export function checkPolicy({ standard: by, zxcvbn: score }: PolicyConfig, report: ConfigReport) {
  if (by.enabled && score.enabled)
    report.fault(
      ['password_policy', 'zxcvbn', 'enabled'],
      'and password_policy.standard.enabled are both true: only one policy can hold',
      'one of them',
    )
  if (by.max_length > 0 && by.max_length < by.min_length)
    report.fault(
      ['password_policy', 'standard', 'max_length'],
      'is less than min_length: no password would do',
      `at least ${by.min_length}, or 0`,
    )
}
