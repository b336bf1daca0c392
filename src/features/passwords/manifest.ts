import { z } from 'zod'
import type { Manifest } from '../../kernel/feature.ts'

export const HashingConfig = z
  .strictObject({
    concurrency: z
      .int()
      .min(1)
      .max(256)
      .optional()
      .describe(
        'How many passwords are hashed at the same time. Each takes its memory for as long as it lasts. Without this key: the processor cores less one, at least one.',
      ),
    queue: z
      .int()
      .min(1)
      .max(10_000)
      .default(64)
      .describe(
        'How many sign-ins may wait for their turn to be hashed. One client address may fill half of it; past the limit the answer is 503 with Retry-After.',
      ),
  })
  .prefault({})
export type HashingConfig = z.infer<typeof HashingConfig>

export default {
  config: { 'authentication_backend.hashing': HashingConfig },
} satisfies Manifest
