import { type Command, InvalidArgumentError } from 'commander'
import {
  type Argon2Parameters,
  type HashParameters,
  makeDigest,
} from '../features/passwords/index.ts'
import { Refusal } from '../kernel/refusal.ts'
import { integer } from './integer.ts'
import type { Cli, Configure } from './invocation.ts'
import { readPassword } from './password-prompt.ts'
import { duration, printTuned, tuneHere } from './tune-hashing.ts'

/** What the server itself makes new digests with (measure 7). */
const DEFAULTS = { iterations: 3, keyLength: 32, memory: 64, parallelism: 4, saltLength: 16 }
const SHA512_ITERATIONS = 50_000
/** The function's own bounds; the ceiling is what the server reads. */
const MIN_SHA512_ITERATIONS = 1000
const MAX_SHA512_ITERATIONS = 5_000_000
const MAX_SHA512_SALT = 16
/** MiB. More is somebody who gave KiB, as Authelia's newer key takes them. */
const MAX_MEMORY = 4096

interface Options {
  readonly iterations?: number
  readonly keyLength: number
  readonly memory: number
  readonly parallelism: number
  readonly salt?: string
  readonly saltLength: number
  readonly sha512?: true
  readonly tune?: number
  readonly maxMemory?: number
  readonly quiet?: true
}

export const configure: Configure = (command, cli) => {
  command
    .argument(
      '[password]',
      'the password; better left out, as other users of the machine can see it',
    )
    .option(
      '-i, --iterations <count>',
      `passes over the memory (default: ${DEFAULTS.iterations}); with -z, rounds (default: ${SHA512_ITERATIONS}, at least ${MIN_SHA512_ITERATIONS})`,
      integer(1, MAX_SHA512_ITERATIONS),
    )
    .option('-k, --key-length <bytes>', 'length of the key', integer(16, 512), DEFAULTS.keyLength)
    .option('-m, --memory <MiB>', 'memory to fill', memory, DEFAULTS.memory)
    .option('-p, --parallelism <lanes>', 'how many lanes', integer(1, 255), DEFAULTS.parallelism)
    .option(
      '-s, --salt <base64>',
      'a salt of your own, in base64; with -z, 8 to 16 letters, digits, . and / (otherwise a random one)',
    )
    .option(
      '-l, --salt-length <bytes>',
      'length of a random salt',
      integer(8, 256),
      DEFAULTS.saltLength,
    )
    .option('-z, --sha512', 'sha512-crypt in place of argon2id')
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
    .addHelpText('after', HELP)
    .action((password: string | undefined) => hashPassword(cli, command, password))
}

const HELP = `
Without a password, asks for it twice without showing it, or reads it from standard input when that is no terminal.
The digest goes into the users file, as the password of its user. --tune prints what belongs into the configuration, and a
digest only when a password is given.`

async function hashPassword(cli: Cli, command: Command, given: string | undefined): Promise<void> {
  const options = command.opts<Options>()
  refuseContradictions(command, options)
  if (given !== undefined) check(given)
  const parameters = options.sha512 ? sha512Parameters(options) : argon2Parameters(options)
  const salt = options.salt === undefined ? undefined : saltOf(options.salt, parameters)
  if (options.tune === undefined) {
    const password = given ?? check(await readPassword(cli))
    printDigest(cli, options, await makeDigest(parameters, password, salt))
    return
  }
  const tuned = await tuneHere({
    target: options.tune,
    parallelism: options.parallelism,
    ...(options.maxMemory !== undefined && { maxMemory: options.maxMemory * 1024 }),
  })
  if (given === undefined || options.quiet === undefined) await printTuned(cli, tuned)
  if (given === undefined) return
  const { memory, iterations, parallelism } = tuned
  const chosen = {
    ...argon2Parameters({ ...options, iterations: 1 }),
    memory,
    iterations,
    parallelism,
  }
  printDigest(cli, options, await makeDigest(chosen, given, salt))
}

function printDigest(cli: Cli, options: Options, digest: string): void {
  cli.print(options.quiet ? `${digest}\n` : `Password hash: ${digest}\n`)
}

function check(password: string): string {
  if (password === '') throw new Refusal('the password is empty')
  if (Buffer.byteLength(password) > 1024)
    throw new Refusal('the password is longer than 1024 bytes')
  return password
}

/** A flag that would do nothing is a misunderstanding. */
function refuseContradictions(command: Command, options: Options): void {
  const refuse = (keys: readonly string[], why: string) => {
    for (const key of keys) {
      const flag = command.options.find((option) => option.attributeName() === key)?.long ?? key
      if (command.getOptionValueSource(key) === 'cli') throw new Refusal(`${flag} ${why}`)
    }
  }
  if (options.sha512)
    refuse(
      ['memory', 'keyLength', 'parallelism', 'tune'],
      'is for argon2id and means nothing with -z',
    )
  if (options.tune !== undefined) refuse(['memory', 'iterations'], 'is what --tune chooses')
  else refuse(['maxMemory'], 'is for --tune; without it, -m says how much memory')
}

/** Seed B's unit, and the mix-up it invites. */
function memory(text: string): number {
  if (/^\d+$/.test(text) && Number(text) > MAX_MEMORY) {
    const meant = Math.round(Number(text) / 1024)
    const hint = meant <= MAX_MEMORY ? `: did you mean ${meant}?` : '.'
    throw new InvalidArgumentError(`It is in MiB, at most ${MAX_MEMORY}${hint}`)
  }
  return integer(1, MAX_MEMORY, ' (MiB)')(text)
}

function argon2Parameters(options: Options): HashParameters & Argon2Parameters {
  const { iterations = DEFAULTS.iterations, keyLength, parallelism, saltLength } = options
  const kibibytes = options.memory * 1024
  if (iterations > 1000) throw new Refusal('-i takes 1 to 1000 for argon2id')
  // RFC 9106 §3.1: each lane needs eight blocks of 1 KiB.
  if (kibibytes < 8 * parallelism) {
    throw new Refusal(
      `-m ${options.memory} MiB is too little for -p ${parallelism}`,
      `every lane needs 8 KiB, together ${Math.ceil((8 * parallelism) / 1024)} MiB`,
    )
  }
  const parameters = { iterations, memory: kibibytes, parallelism, keyLength, saltLength }
  return { algorithm: 'argon2', variant: 'argon2id', ...parameters }
}

function sha512Parameters({ iterations = SHA512_ITERATIONS, saltLength }: Options): HashParameters {
  if (saltLength > MAX_SHA512_SALT) throw new Refusal(`-l takes 8 to ${MAX_SHA512_SALT} with -z`)
  return {
    algorithm: 'sha512',
    iterations: Math.max(MIN_SHA512_ITERATIONS, iterations),
    saltLength,
  }
}

function saltOf(text: string, { algorithm }: HashParameters): Buffer {
  return algorithm === 'sha512' ? textSalt(text) : base64Salt(text)
}

function textSalt(text: string): Buffer {
  if (!/^[./0-9A-Za-z]{8,16}$/.test(text))
    throw new Refusal('--salt is no salt for sha512', '8 to 16 letters, digits, . and /')
  return Buffer.from(text)
}

function base64Salt(text: string): Buffer {
  const bare = text.replace(/={1,2}$/, '')
  const salt = Buffer.from(bare, 'base64')
  if (!/^[A-Za-z0-9+/]+$/.test(bare) || withoutPadding(salt) !== bare) {
    throw new Refusal('--salt is not base64', 'letters, digits, + and /, such as abcdefghijklhijl')
  }
  if (salt.length < 8 || salt.length > 256) {
    throw new Refusal(
      `--salt stands for ${salt.length} bytes`,
      'it takes 8 to 256, which are at least 11 characters of base64',
    )
  }
  return salt
}

const withoutPadding = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
