import type { z } from 'zod'
import type { ConfigPath, ConfigReport } from '../../kernel/feature.ts'
import {
  argon2Parameters,
  MAX_SHA2_ITERATIONS,
  MIN_SHA2_ITERATIONS,
  type PasswordConfig,
  PasswordConfig as PasswordSchema,
} from './hashing.ts'

/** The bound of the passwords feature, which gives the reason; a test compares the two. */
const MAX_ARGON2_WORK = 16 * 1024 * 1024
const PASSWORD: ConfigPath = ['authentication_backend', 'file', 'password']
const OLD_KEYS = ['iterations', 'memory', 'parallelism', 'key_length', 'salt_length'] as const
/** Those that sha2crypt has too. */
const SHA2_KEYS: readonly string[] = ['iterations', 'salt_length']
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
  const twoVariants = (section: string, variant: string) => {
    if (algorithm !== variant && explicit([...PASSWORD, section, 'variant']))
      report.fault([...PASSWORD, 'algorithm'], `and ${section}.variant name two variants`, section)
  }
  checkOldKeys(password, report, explicit)
  switch (algorithm) {
    case 'argon2id':
      twoVariants('argon2', argon2.variant)
      checkArgon2(password, report)
      break
    case 'argon2':
      checkArgon2(password, report)
      break
    case 'sha512':
      twoVariants('sha2crypt', sha2crypt.variant)
      checkSha2(password, report, explicit)
      break
    case 'sha2crypt':
      checkSha2(password, report, explicit)
      break
    case 'scrypt':
      checkScrypt(password, report)
      break
    case 'bcrypt':
    case 'pbkdf2':
      break
    default:
      algorithm satisfies never
  }
}

/** The section whose keys the old ones mean, and which of them it has. */
function sectionOf(algorithm: PasswordConfig['algorithm']): {
  name: string
  keys: readonly string[]
} {
  if (algorithm === 'argon2' || algorithm === 'argon2id') return { name: 'argon2', keys: OLD_KEYS }
  // Authelia never had them for the others.
  const isSha2 = algorithm === 'sha2crypt' || algorithm === 'sha512'
  return { name: isSha2 ? 'sha2crypt' : algorithm, keys: isSha2 ? SHA2_KEYS : [] }
}

function checkOldKeys(password: PasswordConfig, report: ConfigReport, explicit: Explicit): void {
  const { name, keys } = sectionOf(password.algorithm)
  for (const key of OLD_KEYS) {
    if (!explicit([...PASSWORD, key])) continue
    if (!keys.includes(key))
      report.warn(
        [...PASSWORD, key],
        `means nothing to ${password.algorithm}; its keys are below ${name}`,
      )
    else if (explicit([...PASSWORD, name, key]))
      report.fault([...PASSWORD, key], `is given together with ${name}.${key}; keep that one`)
    else
      report.warn([...PASSWORD, key], `is an old form; write ${name}.${key}${inKib(password, key)}`)
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

function checkSha2(password: PasswordConfig, report: ConfigReport, explicit: Explicit): void {
  const { iterations, salt_length, sha2crypt } = password
  checkBound(report, 'iterations', iterations, 1, MAX_SHA2_ITERATIONS)
  checkBound(report, 'salt_length', salt_length, 8, 16)
  if ((iterations ?? sha2crypt.iterations) < MIN_SHA2_ITERATIONS) {
    const old = explicit([...PASSWORD, 'iterations'])
    report.warn(
      [...PASSWORD, ...(old ? ['iterations'] : ['sha2crypt', 'iterations'])],
      `is taken for ${MIN_SHA2_ITERATIONS}, the least that there is`,
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

/** In blocks of 128 bytes: a gibibyte. And rounds times block size times lanes. */
const MAX_SCRYPT_BLOCKS = 2 ** 23
const MAX_SCRYPT_WORK = 2 ** 25

function checkScrypt({ scrypt }: PasswordConfig, report: ConfigReport): void {
  const { variant, iterations, block_size, parallelism } = scrypt
  const path = [...PASSWORD, 'scrypt']
  if (variant === 'yescrypt')
    report.fault([...path, 'variant'], 'is yescrypt, which is neither made nor read', 'scrypt')
  const blocks = 2 ** iterations * block_size
  // RFC 7914 section 2.
  if (iterations >= 16 * block_size)
    report.fault(
      [...path, 'iterations'],
      'is too much for this block_size',
      `less than ${16 * block_size}`,
    )
  if (blocks > MAX_SCRYPT_BLOCKS)
    report.fault(
      path,
      'takes more than 1 GiB of memory',
      'less iterations, or a smaller block_size',
    )
  else if (blocks * parallelism > MAX_SCRYPT_WORK)
    report.fault(path, 'takes too long to check', 'less iterations, block_size or parallelism')
}

function allowedBy(issue: z.core.$ZodIssue | undefined): string {
  if (issue?.code === 'invalid_value') return issue.values.join(', ')
  if (issue?.code === 'too_small') return `at least ${issue.minimum}`
  return issue?.code === 'too_big' ? `at most ${issue.maximum}` : (issue?.message ?? '')
}

export type ParsedPassword =
  | { readonly ok: true; readonly password: PasswordConfig }
  | {
      readonly ok: false
      readonly key: string
      readonly message: string
      readonly allowed?: string
    }

/** `authentication_backend.file.password`, given elsewhere than in a configuration: read by the same schema and checks. */
export function parsePassword(input: unknown): ParsedPassword {
  const { success, data, error } = PasswordSchema.safeParse(input)
  if (!success) {
    const [issue] = error.issues
    const key = String(issue?.path.at(-1) ?? '')
    return { ok: false, key, message: 'is no such value', allowed: allowedBy(issue) }
  }
  let refused: ParsedPassword | undefined
  checkPassword(
    data,
    {
      fault(path, message, allowed) {
        refused ??= { ok: false, key: String(path.at(-1)), message, ...(allowed && { allowed }) }
      },
      warn() {},
    },
    () => false,
  )
  return refused ?? { ok: true, password: data }
}
