import { z } from 'zod'
import type { HashParameters } from '../passwords/index.ts'

const GIB_IN_KIB = 1024 * 1024
/** The bounds of the passwords feature, here and below, which gives their reasons; a test compares the two. */
export const MAX_SHA2_ITERATIONS = 5_000_000
/** The function's own; less is taken for it, as Authelia does. */
export const MIN_SHA2_ITERATIONS = 1000

const Argon2 = z
  .strictObject({
    variant: z
      .enum(['argon2id', 'argon2i', 'argon2d'])
      .default('argon2id')
      .describe('Which argon2. RFC 9106 recommends argon2id.'),
    iterations: z
      .int()
      .min(1)
      .max(1000)
      .default(3)
      .describe('How many times the memory is passed over.'),
    memory: z
      .int()
      .min(8)
      .max(4 * GIB_IN_KIB, { error: 'is more than 4 GiB: this key counts KiB, not bytes' })
      .default(65_536)
      .describe(
        'How much memory one hash takes, in KiB; at least eight times `parallelism`, at most 4 GiB.',
      ),
    parallelism: z
      .int()
      .min(1)
      .max(255)
      .default(4)
      .describe('How many lanes, each of which may run on a core of its own.'),
    key_length: z.int().min(16).max(512).default(32).describe('Length of the digest in bytes.'),
    salt_length: z.int().min(8).max(256).default(16).describe('Length of the salt in bytes.'),
  })
  .prefault({})

const Sha2Crypt = z
  .strictObject({
    variant: z.enum(['sha256', 'sha512']).default('sha512').describe('Which SHA-2 crypt.'),
    iterations: z
      .int()
      .min(1)
      .max(MAX_SHA2_ITERATIONS)
      .default(50_000)
      .describe('How many rounds one hash takes; below 1000 it is 1000.'),
    salt_length: z.int().min(8).max(16).default(16).describe('Length of the salt in characters.'),
  })
  .prefault({})

const Pbkdf2 = z
  .strictObject({
    variant: z
      .enum(['sha1', 'sha224', 'sha256', 'sha384', 'sha512'])
      .default('sha512')
      .describe('Which hash.'),
    iterations: z
      .int()
      .min(100_000)
      .max(10_000_000)
      .optional()
      .describe(
        'How many rounds one hash takes. Without it, by the variant: 310000 for sha512, 280000 for sha384, 700000 for sha256, 900000 for sha224, 1600000 for sha1.',
      ),
    salt_length: z.int().min(8).max(256).default(16).describe('Length of the salt in bytes.'),
  })
  .prefault({})

/** Authelia's, from OWASP. */
const PBKDF2_ITERATIONS = {
  sha1: 1_600_000,
  sha224: 900_000,
  sha256: 700_000,
  sha384: 280_000,
  sha512: 310_000,
} as const

const Bcrypt = z
  .strictObject({
    variant: z
      .enum(['standard', 'sha256'])
      .default('standard')
      .describe(
        'Whether the password is hashed with SHA-256 first. bcrypt reads 72 bytes: `standard` refuses longer passwords.',
      ),
    cost: z
      .int()
      .min(10)
      .max(17)
      .default(12)
      .describe('How many rounds one hash takes, as a power of two.'),
  })
  .prefault({})

const Scrypt = z
  .strictObject({
    variant: z
      .enum(['scrypt', 'yescrypt'])
      .default('scrypt')
      .describe('Which scrypt. yescrypt is neither made nor read.'),
    iterations: z
      .int()
      .min(1)
      .max(20)
      .default(16)
      .describe('How many rounds one hash takes, as a power of two.'),
    block_size: z
      .int()
      .min(1)
      .max(1024)
      .default(8)
      .describe(
        'How much memory one hash takes: 128 bytes times this times the rounds, at most 1 GiB.',
      ),
    parallelism: z.int().min(1).max(256).default(1).describe('How many lanes.'),
    key_length: z.int().min(16).max(512).default(32).describe('Length of the digest in bytes.'),
    salt_length: z.int().min(8).max(256).default(16).describe('Length of the salt in bytes.'),
  })
  .prefault({})

/** Authelia's older keys, one level up, for whichever algorithm is chosen. Memory counts MiB there. */
const old = (text: string) => z.int().min(1).optional().describe(`Old form of ${text}`)

export const PasswordConfig = z
  .strictObject({
    algorithm: z
      .enum(['argon2', 'argon2id', 'sha2crypt', 'sha512', 'pbkdf2', 'bcrypt', 'scrypt'])
      .default('argon2')
      .describe(
        'What new passwords are hashed with. `argon2id` is another word for `argon2` with that variant, `sha512` for `sha2crypt` with that one. Digests of all of them are read, whichever is chosen.',
      ),
    argon2: Argon2,
    sha2crypt: Sha2Crypt,
    pbkdf2: Pbkdf2,
    bcrypt: Bcrypt,
    scrypt: Scrypt,
    iterations: old('`iterations` of the algorithm.'),
    memory: old('`argon2.memory`; counts MiB.'),
    parallelism: old('`argon2.parallelism`.'),
    key_length: old('`argon2.key_length`.'),
    salt_length: old('`salt_length` of the algorithm.'),
  })
  .prefault({})
export type PasswordConfig = z.infer<typeof PasswordConfig>

/** How new passwords are hashed, wherever the users are. */
export const passwordConfigIn = (config: {
  readonly 'authentication_backend.file': { readonly password: PasswordConfig }
  readonly 'authentication_backend.database'?: { readonly password: PasswordConfig } | undefined
}): PasswordConfig =>
  (config['authentication_backend.database'] ?? config['authentication_backend.file']).password

/** The parameters of new digests: the old keys count where they are given. Memory in KiB, lengths in bytes. */
export function hashParameters(password: PasswordConfig): HashParameters {
  const { algorithm, pbkdf2, bcrypt, scrypt } = password
  switch (algorithm) {
    case 'argon2':
    case 'argon2id':
      return argon2Parameters(password)
    case 'sha2crypt':
    case 'sha512':
      return sha2Parameters(password)
    case 'pbkdf2': {
      const { variant, iterations = PBKDF2_ITERATIONS[variant], salt_length } = pbkdf2
      return { algorithm, variant, iterations, saltLength: salt_length }
    }
    case 'bcrypt':
      return { algorithm, ...bcrypt }
    case 'scrypt': {
      const { iterations, block_size, parallelism, key_length, salt_length } = scrypt
      return {
        algorithm,
        iterations,
        blockSize: block_size,
        parallelism,
        keyLength: key_length,
        saltLength: salt_length,
      }
    }
    default:
      return algorithm satisfies never
  }
}

const sha2Parameters = ({ algorithm, sha2crypt, iterations, salt_length }: PasswordConfig) =>
  ({
    algorithm: 'sha2crypt',
    variant: algorithm === 'sha512' ? 'sha512' : sha2crypt.variant,
    iterations: Math.max(MIN_SHA2_ITERATIONS, iterations ?? sha2crypt.iterations),
    saltLength: salt_length ?? sha2crypt.salt_length,
  }) as const

export function argon2Parameters(password: PasswordConfig) {
  const { algorithm, argon2, iterations, memory, parallelism, key_length, salt_length } = password
  return {
    algorithm: 'argon2',
    variant: algorithm === 'argon2id' ? 'argon2id' : argon2.variant,
    iterations: iterations ?? argon2.iterations,
    memory: memory === undefined ? argon2.memory : memory * 1024,
    parallelism: parallelism ?? argon2.parallelism,
    keyLength: key_length ?? argon2.key_length,
    saltLength: salt_length ?? argon2.salt_length,
  } as const
}
