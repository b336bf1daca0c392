import type { HashParameters } from '../../src/features/passwords/index.ts'
import { schemes } from '../../src/features/passwords/schemes/index.ts'
import { hashSchemeConformance } from '../conformance/hash-scheme.ts'
import digests from '../fixtures/password-digests.json' with { type: 'json' }

const bare = (digest: string) => digest.replace('{CRYPT}', '')

/** Of those that make digests. */
const PARAMETERS: Readonly<Record<string, HashParameters>> = {
  argon2: {
    algorithm: 'argon2',
    variant: 'argon2id',
    iterations: 1,
    memory: 64,
    parallelism: 2,
    keyLength: 32,
    saltLength: 16,
  },
  'sha-crypt': { algorithm: 'sha512', iterations: 1000, saltLength: 16 },
}

for (const scheme of schemes) {
  const mine = ({ digest }: { digest: string }) =>
    scheme.prefixes.some((prefix) => bare(digest).startsWith(prefix))
  hashSchemeConformance(() => ({
    scheme,
    verified: digests.verified
      .filter(mine)
      .map(({ digest, password }) => ({ digest: bare(digest), password })),
    malformed: digests.malformed.filter(mine).map(({ digest }) => digest),
    parameters: PARAMETERS[scheme.name],
    keyIsPrefix: scheme.name === 'scrypt',
  }))
}
