import { z } from 'zod'
import type { ConfigPath, ConfigReport } from '../../kernel/feature.ts'

const GIB_IN_KIB = 1024 * 1024
/** Where the passwords room ends, and why, is said there; a test holds the two together. */
const MAX_ARGON2_WORK = 16 * GIB_IN_KIB
const MAX_SHA512_ITERATIONS = 5_000_000
/** The function's own; less is taken for it, as Authelia does. */
const MIN_SHA512_ITERATIONS = 1000

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
    variant: z
      .enum(['sha256', 'sha512'])
      .default('sha512')
      .describe('Which SHA-2 crypt. Digests of sha256 are read, not made.'),
    iterations: z
      .int()
      .min(1)
      .max(MAX_SHA512_ITERATIONS)
      .default(50_000)
      .describe('How many rounds one hash takes; below 1000 it is 1000.'),
    salt_length: z.int().min(8).max(16).default(16).describe('Length of the salt in characters.'),
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
        'What new passwords are hashed with. `argon2id` is another word for `argon2` with that variant, `sha512` for `sha2crypt`. The others are read, not made.',
      ),
    argon2: Argon2,
    sha2crypt: Sha2Crypt,
    iterations: old('`iterations` of the algorithm.'),
    memory: old('`argon2.memory`; counts MiB.'),
    parallelism: old('`argon2.parallelism`.'),
    key_length: old('`argon2.key_length`.'),
    salt_length: old('`salt_length` of the algorithm.'),
  })
  .prefault({})
export type PasswordConfig = z.infer<typeof PasswordConfig>

const isSha512 = ({ algorithm }: PasswordConfig): boolean =>
  algorithm === 'sha512' || algorithm === 'sha2crypt'

/** The parameters of new digests: the old keys count where they are given. Memory in KiB, lengths in bytes. */
export function hashParameters(password: PasswordConfig) {
  return isSha512(password) ? sha512Parameters(password) : argon2Parameters(password)
}

const sha512Parameters = ({ sha2crypt, iterations, salt_length }: PasswordConfig) =>
  ({
    algorithm: 'sha512',
    iterations: Math.max(MIN_SHA512_ITERATIONS, iterations ?? sha2crypt.iterations),
    saltLength: salt_length ?? sha2crypt.salt_length,
  }) as const

function argon2Parameters(password: PasswordConfig) {
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
const OLD_KEYS = ['iterations', 'memory', 'parallelism', 'key_length', 'salt_length'] as const
/** Those that sha512 has too. */
const SHA512_KEYS: readonly string[] = ['iterations', 'salt_length']
/** OWASP's least memory for argon2id, in KiB; below it a number was probably meant as MiB. */
const LITTLE_MEMORY = 7168

type Explicit = (path: ConfigPath) => boolean

/** What spans several keys, and what the old ones escape because Authelia's bounds for them were others. */
export function checkPassword(
  password: PasswordConfig,
  report: ConfigReport,
  explicit: Explicit,
): void {
  const { algorithm, argon2, sha2crypt } = password
  const isArgon2 = algorithm === 'argon2' || algorithm === 'argon2id'
  if (!isArgon2 && !isSha512(password)) {
    const message = `${algorithm} digests are read, but not made`
    report.fault([...PASSWORD, 'algorithm'], message, 'argon2 or sha512')
    return
  }
  if (
    algorithm === 'argon2id' &&
    argon2.variant !== 'argon2id' &&
    explicit([...PASSWORD, 'argon2', 'variant'])
  )
    report.fault([...PASSWORD, 'algorithm'], 'and argon2.variant name two variants', 'argon2')
  if (!isArgon2 && sha2crypt.variant !== 'sha512')
    report.fault(
      [...PASSWORD, 'sha2crypt', 'variant'],
      `is ${sha2crypt.variant}, whose digests are read, but not made`,
      'sha512',
    )
  checkOldKeys(password, report, explicit)
  if (isArgon2) checkArgon2(password, report)
  else checkSha512(password, report, explicit)
}

function checkOldKeys(password: PasswordConfig, report: ConfigReport, explicit: Explicit): void {
  const section = isSha512(password) ? 'sha2crypt' : 'argon2'
  for (const key of OLD_KEYS) {
    if (!explicit([...PASSWORD, key])) continue
    if (section === 'sha2crypt' && !SHA512_KEYS.includes(key))
      report.warn([...PASSWORD, key], 'means nothing to sha512')
    else if (explicit([...PASSWORD, section, key]))
      report.fault([...PASSWORD, key], `is given together with ${section}.${key}; keep that one`)
    else
      report.warn(
        [...PASSWORD, key],
        `is an old form; write ${section}.${key}${inKib(password, key)}`,
      )
  }
}

const inKib = (password: PasswordConfig, key: string): string =>
  key === 'memory' ? `: ${(password.memory ?? 0) * 1024} (it counts KiB)` : ''

function checkBound(
  report: ConfigReport,
  key: string,
  value: number | undefined,
  min: number,
  max: number,
): void {
  if (value !== undefined && (value < min || value > max))
    report.fault([...PASSWORD, key], 'is out of bounds', `${min} to ${max}`)
}

function checkSha512(password: PasswordConfig, report: ConfigReport, explicit: Explicit): void {
  const { iterations, salt_length, sha2crypt } = password
  checkBound(report, 'iterations', iterations, 1, MAX_SHA512_ITERATIONS)
  checkBound(report, 'salt_length', salt_length, 8, 16)
  if ((iterations ?? sha2crypt.iterations) < MIN_SHA512_ITERATIONS) {
    const old = explicit([...PASSWORD, 'iterations'])
    report.warn(
      [...PASSWORD, ...(old ? ['iterations'] : ['sha2crypt', 'iterations'])],
      `is taken for ${MIN_SHA512_ITERATIONS}, the least that there is`,
    )
  }
}

function checkArgon2(password: PasswordConfig, report: ConfigReport): void {
  const { memory, iterations, parallelism, key_length, salt_length } = password
  checkBound(report, 'iterations', iterations, 1, 1000)
  checkBound(report, 'parallelism', parallelism, 1, 255)
  checkBound(report, 'key_length', key_length, 16, 512)
  checkBound(report, 'salt_length', salt_length, 8, 256)
  const memoryPath = [...PASSWORD, ...(memory === undefined ? ['argon2', 'memory'] : ['memory'])]
  if (memory !== undefined && memory > 4096) {
    const hint = 'at most 4096; for KiB write argon2.memory'
    report.fault(memoryPath, 'is more than 4 GiB: this key counts MiB, not KiB', hint)
    return
  }
  const used = argon2Parameters(password)
  const least = 8 * used.parallelism
  if (used.memory < least)
    report.fault(memoryPath, 'is less than eight times parallelism', `at least ${least} KiB`)
  else if (used.memory < LITTLE_MEMORY)
    report.warn(memoryPath, `is ${used.memory} KiB, which protects little; was it meant as MiB?`)
  const most = Math.floor(MAX_ARGON2_WORK / used.iterations)
  if (used.memory > most)
    report.fault(
      memoryPath,
      `with ${used.iterations} iterations takes too long to check`,
      `at most ${most} KiB with so many`,
    )
}
