import { z } from 'zod'
import { defineManifest } from '../../kernel/feature.ts'
import { checkPolicy, PolicyConfig } from './policy/config.ts'

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
        'How many sign-ins may wait for their turn to be hashed. One client address may fill half of it; past the limit the answer is 503 with Retry-After. A quarter more, at least 8, is reserved for browsers that their user has signed in with before; they also go first.',
      ),
  })
  .prefault({})
export type HashingConfig = z.infer<typeof HashingConfig>

export const RehashOnLogin = z
  .boolean()
  .default(true)
  .describe(
    'Makes the digest of a password anew when its user signs in and it is weaker than what is configured (never the other way round), and stores it. Sessions go on.',
  )

export default defineManifest({
  config: {
    'authentication_backend.hashing': HashingConfig,
    'authentication_backend.rehash_on_login': RehashOnLogin,
    password_policy: PolicyConfig,
  },
  check({ password_policy: policy }, report) {
    checkPolicy(policy, report)
  },
  async look({ password_policy: policy }, place, report) {
    const { lookAtLists } = await import('./policy/look.ts')
    lookAtLists(policy, place, report)
  },
})
