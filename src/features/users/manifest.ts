import { z } from 'zod'
import type { ConfigPath, ConfigReport, Manifest } from '../../kernel/feature.ts'
import { duration } from '../../kernel/scalars.ts'

const GIB_IN_KIB = 1024 * 1024

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

/** Authelia's older keys, one level up. Memory counts MiB there. */
const old = (key: string) => z.int().min(1).optional().describe(`Old form of \`argon2.${key}\`.`)

const Password = z
  .strictObject({
    algorithm: z
      .enum(['argon2', 'argon2id', 'sha2crypt', 'sha512', 'pbkdf2', 'bcrypt', 'scrypt'])
      .default('argon2')
      .describe(
        'What new passwords are hashed with. `argon2id` is another word for `argon2` with that variant. Only argon2 is made so far.',
      ),
    argon2: Argon2,
    iterations: old('iterations'),
    memory: old('memory').describe('Old form of `argon2.memory`; counts MiB.'),
    parallelism: old('parallelism'),
    key_length: old('key_length'),
    salt_length: old('salt_length'),
  })
  .prefault({})
export type PasswordConfig = z.infer<typeof Password>

export const FileConfig = z
  .strictObject({
    path: z
      .string()
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
    password: Password,
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

export const RefreshInterval = z
  .union([
    z
      .enum(['always', 'never', 'disable'])
      .transform((word) => (word === 'disable' ? 'never' : word)),
    duration(),
  ])
  .prefault('5m')
  .describe(
    'How old what a session knows of its user may get before the user store is asked again: a duration, `always`, or `never` (also `disable`). Users of a file are always current.',
  )

const OLD_KEYS = ['iterations', 'memory', 'parallelism', 'key_length', 'salt_length'] as const

/** The parameters of new digests: the old keys count where they are given. Memory in KiB, lengths in bytes. */
export function hashParameters(password: PasswordConfig) {
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

const PASSWORD: ConfigPath = ['authentication_backend', 'file', 'password']
/** OWASP's least memory for argon2id, in KiB; below it a number was probably meant as MiB. */
const LITTLE_MEMORY = 7168

function check(
  config: Readonly<Record<string, unknown>>,
  report: ConfigReport,
  explicit: (path: ConfigPath) => boolean,
): void {
  // The slice was parsed by the schema above.
  const { password } = config['authentication_backend.file'] as FileConfig
  if (password.algorithm !== 'argon2' && password.algorithm !== 'argon2id') {
    const message = `${password.algorithm} digests cannot be made yet`
    report.fault([...PASSWORD, 'algorithm'], message, 'argon2')
    return
  }
  if (
    password.algorithm === 'argon2id' &&
    password.argon2.variant !== 'argon2id' &&
    explicit([...PASSWORD, 'argon2', 'variant'])
  )
    report.fault([...PASSWORD, 'algorithm'], 'and argon2.variant name two variants', 'argon2')
  for (const key of OLD_KEYS) {
    if (!explicit([...PASSWORD, key])) continue
    if (explicit([...PASSWORD, 'argon2', key]))
      report.fault([...PASSWORD, key], `is given together with argon2.${key}; keep that one`)
    else
      report.warn([...PASSWORD, key], `is an old form; write argon2.${key}${inKib(password, key)}`)
  }
  checkBounds(password, report)
}

const inKib = (password: PasswordConfig, key: string): string =>
  key === 'memory' ? `: ${(password.memory ?? 0) * 1024} (it counts KiB)` : ''

/** What the old keys escape, because Authelia's bounds for them were others, and what depends on two keys. */
function checkBounds(password: PasswordConfig, report: ConfigReport): void {
  const { memory, iterations, parallelism, key_length, salt_length } = password
  const bound = (key: string, value: number | undefined, min: number, max: number) => {
    if (value !== undefined && (value < min || value > max))
      report.fault([...PASSWORD, key], 'is out of bounds', `${min} to ${max}`)
  }
  bound('iterations', iterations, 1, 1000)
  bound('parallelism', parallelism, 1, 255)
  bound('key_length', key_length, 16, 512)
  bound('salt_length', salt_length, 8, 256)
  const memoryPath = [...PASSWORD, ...(memory === undefined ? ['argon2', 'memory'] : ['memory'])]
  if (memory !== undefined && memory > 4096) {
    const hint = 'at most 4096; for KiB write argon2.memory'
    report.fault(memoryPath, 'is more than 4 GiB: this key counts MiB, not KiB', hint)
    return
  }
  const used = hashParameters(password)
  const least = 8 * used.parallelism
  if (used.memory < least)
    report.fault(memoryPath, 'is less than eight times parallelism', `at least ${least} KiB`)
  else if (used.memory < LITTLE_MEMORY)
    report.warn(memoryPath, `is ${used.memory} KiB, which protects little; was it meant as MiB?`)
}

export default {
  config: {
    'authentication_backend.file': FileConfig,
    'authentication_backend.refresh_interval': RefreshInterval,
  },
  check,
} satisfies Manifest
