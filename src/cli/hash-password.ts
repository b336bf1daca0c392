import { resolve } from 'node:path'
import { type Command, InvalidArgumentError, Option } from 'commander'
import {
  createPasswordPolicy,
  type HashParameters,
  makeDigest,
} from '../features/passwords/index.ts'
import { hashParameters, parsePassword } from '../features/users/index.ts'
import { AppError } from '../kernel/errors.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { integer } from './integer.ts'
import type { Cli, Configure } from './invocation.ts'
import { readPassword } from './password-prompt.ts'
import { duration, printTuned, tuneHere } from './tune-hashing.ts'

const ALGORITHMS = ['argon2id', 'sha512', 'bcrypt', 'pbkdf2', 'scrypt'] as const
type Algorithm = (typeof ALGORITHMS)[number]

/** MiB. More was meant as KiB, as Authelia's newer key takes them. */
const MAX_MEMORY = 4096

interface Options {
  readonly algorithm?: Algorithm
  readonly variant?: string
  readonly iterations?: number
  readonly cost?: number
  readonly blockSize?: number
  readonly keyLength?: number
  readonly memory?: number
  readonly parallelism?: number
  readonly salt?: string
  readonly saltLength?: number
  readonly sha512?: true
  readonly tune?: number
  readonly maxMemory?: number
  readonly quiet?: true
  readonly force?: true
}

/** Which flags an algorithm has, by the keys of its section in the configuration. */
const FLAGS: Readonly<Record<Algorithm, Readonly<Partial<Record<keyof Options, string>>>>> = {
  argon2id: {
    iterations: 'iterations',
    keyLength: 'key_length',
    memory: 'memory',
    parallelism: 'parallelism',
    saltLength: 'salt_length',
  },
  sha512: { iterations: 'iterations', saltLength: 'salt_length' },
  bcrypt: { variant: 'variant', cost: 'cost' },
  pbkdf2: { variant: 'variant', iterations: 'iterations', saltLength: 'salt_length' },
  scrypt: {
    iterations: 'iterations',
    blockSize: 'block_size',
    parallelism: 'parallelism',
    keyLength: 'key_length',
    saltLength: 'salt_length',
  },
}
const SECTIONS = {
  argon2id: 'argon2',
  sha512: 'sha2crypt',
  bcrypt: 'bcrypt',
  pbkdf2: 'pbkdf2',
  scrypt: 'scrypt',
} as const

export const configure: Configure = (command, cli) => {
  command
    .argument(
      '[password]',
      'the password; better left out, as other users of the machine can see it',
    )
    .addOption(
      new Option('-a, --algorithm <name>', 'what to hash with (default: argon2id)').choices(
        ALGORITHMS,
      ),
    )
    .option('-v, --variant <name>', 'which bcrypt (standard, sha256) or pbkdf2 (sha1 to sha512)')
    .option(
      '-i, --iterations <count>',
      'passes over the memory (argon2id: 3), rounds (sha512: 50000, at least 1000; pbkdf2: 310000), or a power of two (scrypt: 16)',
      integer(1, 10_000_000),
    )
    .option('--cost <power>', 'bcrypt: rounds, as a power of two (default: 12)', integer(10, 17))
    .option('-r, --block-size <count>', 'scrypt: size of a block (default: 8)', integer(1, 1024))
    .option('-k, --key-length <bytes>', 'length of the key (default: 32)', integer(16, 512))
    .option('-m, --memory <MiB>', 'argon2id: memory to fill (default: 64)', memory)
    .option('-p, --parallelism <lanes>', 'how many lanes (argon2id: 4, scrypt: 1)', integer(1, 256))
    .option(
      '-s, --salt <base64>',
      'a salt of your own, in base64; for sha512, 8 to 16 letters, digits, . and /; not for bcrypt (otherwise a random one)',
    )
    .option('-l, --salt-length <bytes>', 'length of a random salt (default: 16)', integer(8, 256))
    .option('-z, --sha512', 'the same as -a sha512')
    .option(
      '--tune <time>',
      'measure this machine and choose -m and -i so that a hash takes about so long: 500ms',
      duration(10, 10_000),
    )
    .option(
      '--max-memory <MiB>',
      'with --tune: the most that a hash may take (otherwise a quarter of the memory, divided among the hashes that run at the same time)',
      memory,
    )
    .option('-q, --quiet', 'print the digest alone')
    .option('--force', 'hash it also against the password policy of the configuration')
    .addHelpText('after', HELP)
    .action((password: string | undefined) => hashPassword(cli, command, password))
}

const HELP = `
Without a password, asks for it twice without showing it, or reads it from standard input when that is no terminal.
The digest goes into the users file, as the password of its user. --tune prints what belongs into the configuration, and a
digest only when a password is given. With a configuration (--config), its password_policy holds here too.`

async function hashPassword(cli: Cli, command: Command, given: string | undefined): Promise<void> {
  const options = command.opts<Options>()
  const algorithm = algorithmOf(options)
  refuseContradictions(command, algorithm, options)
  if (given !== undefined) check(given)
  const parameters = parametersOf(algorithm, options)
  const salt = options.salt === undefined ? undefined : saltOf(options.salt, parameters)
  if (options.tune === undefined) {
    const password = given ?? check(await readPassword(cli))
    if (!options.force) await refuseWeak(cli, password)
    printDigest(cli, options, await digestOf(parameters, password, salt))
    return
  }
  if (given !== undefined && !options.force) await refuseWeak(cli, given)
  const tuned = await tuneHere({
    target: options.tune,
    parallelism: options.parallelism ?? 4,
    ...(options.maxMemory !== undefined && { maxMemory: options.maxMemory * 1024 }),
  })
  if (given === undefined || options.quiet === undefined) await printTuned(cli, tuned)
  if (given === undefined || parameters.algorithm !== 'argon2') return
  const { memory, iterations, parallelism } = tuned
  const chosen = { ...parameters, memory, iterations, parallelism }
  printDigest(cli, options, await digestOf(chosen, given, salt))
}

/** Whose password it will be is not known here: names do not count. */
const NO_NAMES = { name: '', displayName: '', email: '' }

/** @throws OperatorError when the configuration is faulty, or its policy refuses the password */
async function refuseWeak(cli: Cli, password: string): Promise<void> {
  if (cli.configFiles().length === 0) return
  const { load } = await import('./config.ts')
  const loaded = await load(cli)
  if (!loaded.ok)
    throw new OperatorError(
      'the password policy cannot be read: the configuration has faults',
      'see `vestibule config validate`, or use --force',
    )
  const policy = createPasswordPolicy(loaded.config['password_policy'], (path) =>
    resolve(cli.cwd, path),
  )
  try {
    await policy.approve(password, NO_NAMES)
  } catch (error) {
    if (!(error instanceof AppError)) throw error
    const { faults, file } = error.details
    const why = Array.isArray(faults) ? faults.join(', ') : `${file} cannot be read`
    throw new OperatorError(
      `the password does not meet password_policy (${why})`,
      'choose another one, or use --force',
    )
  } finally {
    await policy.close()
  }
}

async function digestOf(
  parameters: HashParameters,
  password: string,
  salt?: Buffer,
): Promise<string> {
  try {
    return await makeDigest(parameters, password, salt)
  } catch (error) {
    if (error instanceof RangeError) throw new OperatorError(error.message)
    throw error
  }
}

function printDigest(cli: Cli, options: Options, digest: string): void {
  cli.print(options.quiet ? `${digest}\n` : `Password hash: ${digest}\n`)
}

function check(password: string): string {
  if (password === '') throw new OperatorError('the password is empty')
  if (Buffer.byteLength(password) > 1024)
    throw new OperatorError('the password is longer than 1024 bytes')
  return password
}

function algorithmOf({ algorithm, sha512 }: Options): Algorithm {
  if (sha512 && algorithm !== undefined && algorithm !== 'sha512')
    throw new OperatorError(`-z and -a ${algorithm} name two algorithms`)
  return algorithm ?? (sha512 ? 'sha512' : 'argon2id')
}

/** A flag that would do nothing is a misunderstanding. */
function refuseContradictions(command: Command, algorithm: Algorithm, options: Options): void {
  const refuse = (keys: readonly string[], why: string) => {
    for (const key of keys) {
      const flag = command.options.find((option) => option.attributeName() === key)?.long ?? key
      if (command.getOptionValueSource(key) === 'cli') throw new OperatorError(`${flag} ${why}`)
    }
  }
  const others = Object.values(FLAGS).flatMap((flags) => Object.keys(flags))
  const own = Object.keys(FLAGS[algorithm])
  refuse(
    others.filter((key) => !own.includes(key)),
    `means nothing to ${algorithm}`,
  )
  if (algorithm !== 'argon2id') refuse(['tune'], 'is for argon2id alone')
  if (algorithm === 'bcrypt') refuse(['salt'], 'is not for bcrypt')
  if (options.tune !== undefined) refuse(['memory', 'iterations'], 'is what --tune chooses')
  else refuse(['maxMemory'], 'is for --tune; without it, -m says how much memory')
}

/** By the configuration's own schema and checks: what a flag may be is what its key may be. */
function parametersOf(algorithm: Algorithm, options: Options): HashParameters {
  const section = Object.entries(FLAGS[algorithm]).flatMap(([flag, key]) => {
    const value = options[flag as keyof Options] // a key of the table, which has no others
    if (value === undefined) return []
    return [[key, flag === 'memory' ? Number(value) * 1024 : value]]
  })
  const parsed = parsePassword({ algorithm, [SECTIONS[algorithm]]: Object.fromEntries(section) })
  if (parsed.ok) return hashParameters(parsed.password)
  const { key, message, allowed } = parsed
  const flag = Object.entries(FLAGS[algorithm]).find(([, name]) => name === key)?.[0] ?? ''
  const written = flag.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  throw new OperatorError(`${flag === '' ? algorithm : `--${written}`} ${message}`, allowed)
}

/** In MiB; a number that must have been meant as KiB is refused with a hint. */
function memory(text: string): number {
  if (/^\d+$/.test(text) && Number(text) > MAX_MEMORY) {
    const meant = Math.round(Number(text) / 1024)
    const hint = meant <= MAX_MEMORY ? `: did you mean ${meant}?` : '.'
    throw new InvalidArgumentError(`It is in MiB, at most ${MAX_MEMORY}${hint}`)
  }
  return integer(1, MAX_MEMORY, ' (MiB)')(text)
}

function saltOf(text: string, { algorithm }: HashParameters): Buffer {
  return algorithm === 'sha2crypt' ? textSalt(text) : base64Salt(text)
}

function textSalt(text: string): Buffer {
  if (!/^[./0-9A-Za-z]{8,16}$/.test(text))
    throw new OperatorError('--salt is no salt for sha512', '8 to 16 letters, digits, . and /')
  return Buffer.from(text)
}

function base64Salt(text: string): Buffer {
  const bare = text.replace(/={1,2}$/, '')
  const salt = Buffer.from(bare, 'base64')
  if (!/^[A-Za-z0-9+/]+$/.test(bare) || withoutPadding(salt) !== bare) {
    throw new OperatorError(
      '--salt is not base64',
      'letters, digits, + and /, such as abcdefghijklhijl',
    )
  }
  if (salt.length < 8 || salt.length > 256) {
    throw new OperatorError(
      `--salt stands for ${salt.length} bytes`,
      'it takes 8 to 256, which are at least 11 characters of base64',
    )
  }
  return salt
}

const withoutPadding = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
