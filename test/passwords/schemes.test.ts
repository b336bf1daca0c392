import type { HashParameters } from '../../src/features/passwords/index.ts'
import { schemes } from '../../src/features/passwords/schemes/index.ts'
import { hashSchemeConformance } from '../conformance/hash-scheme.ts'
import digests from '../fixtures/password-digests.json' with { type: 'json' }

const bare = (digest: string) => digest.replace('{CRYPT}', '')

/** Of each scheme, every variant that it makes, cheap. */
const PARAMETERS: Readonly<Record<string, readonly HashParameters[]>> = {
  argon2: [
    {
      algorithm: 'argon2',
      variant: 'argon2id',
      iterations: 1,
      memory: 64,
      parallelism: 2,
      keyLength: 32,
      saltLength: 16,
    },
  ],
  scrypt: [
    {
      algorithm: 'scrypt',
      iterations: 4,
      blockSize: 8,
      parallelism: 2,
      keyLength: 32,
      saltLength: 16,
    },
  ],
  bcrypt: [
    { algorithm: 'bcrypt', variant: 'standard', cost: 4 },
    { algorithm: 'bcrypt', variant: 'sha256', cost: 4 },
  ],
  pbkdf2: (['sha1', 'sha224', 'sha256', 'sha384', 'sha512'] as const).map((variant) => ({
    algorithm: 'pbkdf2',
    variant,
    iterations: 1000,
    saltLength: 16,
  })),
  'sha-crypt': (['sha256', 'sha512'] as const).map((variant) => ({
    algorithm: 'sha2crypt',
    variant,
    iterations: 1000,
    saltLength: 16,
  })),
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
    parameters: PARAMETERS[scheme.name] ?? [],
    keyIsPrefix: scheme.name === 'scrypt',
  }))
}
