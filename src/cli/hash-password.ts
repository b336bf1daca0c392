import { InvalidArgumentError } from 'commander'
import { type Argon2Parameters, createPasswords } from '../features/passwords/index.ts'
import { systemClock } from '../kernel/clock.ts'
import { Refusal } from '../kernel/refusal.ts'
import { integer } from './integer.ts'
import type { Cli, Configure } from './invocation.ts'
import { readPassword } from './password-prompt.ts'

/** What the server itself makes new digests with (measure 7). */
const DEFAULTS = { iterations: 3, keyLength: 32, memory: 64, parallelism: 4, saltLength: 16 }
/** MiB. More is somebody who gave KiB, as Authelia's newer key takes them. */
const MAX_MEMORY = 4096

interface Options {
  readonly iterations: number
  readonly keyLength: number
  readonly memory: number
  readonly parallelism: number
  readonly salt?: string
  readonly saltLength: number
  readonly sha512?: true
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
      'passes over the memory',
      integer(1, 1000),
      DEFAULTS.iterations,
    )
    .option('-k, --key-length <bytes>', 'length of the key', integer(16, 512), DEFAULTS.keyLength)
    .option('-m, --memory <MiB>', 'memory to fill', memory, DEFAULTS.memory)
    .option('-p, --parallelism <lanes>', 'how many lanes', integer(1, 255), DEFAULTS.parallelism)
    .option('-s, --salt <base64>', 'a salt of your own, in base64 (otherwise a random one)')
    .option(
      '-l, --salt-length <bytes>',
      'length of a random salt',
      integer(8, 256),
      DEFAULTS.saltLength,
    )
    .option('-z, --sha512', 'sha512-crypt in place of argon2id (not supported yet)')
    .option('-q, --quiet', 'print the digest alone')
    .addHelpText('after', HELP)
    .action((password: string | undefined) => hashPassword(cli, password, command.opts<Options>()))
}

const HELP = `
Without a password, asks for it twice without showing it, or reads it from standard input when that is no terminal.
The digest goes into the users file, as the password of its user.`

async function hashPassword(cli: Cli, given: string | undefined, options: Options): Promise<void> {
  if (options.sha512) {
    throw new Refusal(
      'sha512 is not supported yet',
      'leave -z out: argon2id is what new digests use',
    )
  }
  const parameters = parametersOf(options)
  const salt = options.salt === undefined ? undefined : saltOf(options.salt)
  const password = given ?? (await readPassword(cli))
  if (password === '') throw new Refusal('the password is empty')
  if (Buffer.byteLength(password) > 1024)
    throw new Refusal('the password is longer than 1024 bytes')
  const digest = await hash(password, parameters, salt)
  cli.print(options.quiet ? `${digest}\n` : `Password hash: ${digest}\n`)
}

/** Seed B's unit, and the mix-up it invites. */
function memory(text: string): number {
  if (/^\d+$/.test(text) && Number(text) > MAX_MEMORY) {
    throw new InvalidArgumentError(
      `It is in MiB, at most ${MAX_MEMORY}: did you mean ${Math.round(Number(text) / 1024)}?`,
    )
  }
  return integer(1, MAX_MEMORY, ' (MiB)')(text)
}

function parametersOf(options: Options): Argon2Parameters {
  const { iterations, keyLength, parallelism, saltLength } = options
  const kibibytes = options.memory * 1024
  // RFC 9106 §3.1: each lane needs eight blocks of 1 KiB.
  if (kibibytes < 8 * parallelism) {
    throw new Refusal(
      `-m ${options.memory} MiB is too little for -p ${parallelism}`,
      `every lane needs 8 KiB, together ${Math.ceil((8 * parallelism) / 1024)} MiB`,
    )
  }
  return { variant: 'argon2id', iterations, memory: kibibytes, parallelism, keyLength, saltLength }
}

function saltOf(text: string): Buffer {
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

async function hash(
  password: string,
  parameters: Argon2Parameters,
  salt?: Buffer,
): Promise<string> {
  if (salt !== undefined) return hashWithSalt(password, parameters, salt)
  const passwords = createPasswords({
    parameters: { algorithm: 'argon2', ...parameters },
    concurrency: 1,
    queue: 1,
    clock: systemClock,
  })
  return passwords.hash(password, '')
}

/** The server never makes a digest with a salt that somebody chose; only this flag does. */
async function hashWithSalt(password: string, parameters: Argon2Parameters, salt: Buffer) {
  const { iterations, memory, parallelism, keyLength } = parameters
  const { argon2id, hash } = await import('argon2')
  const key = await hash(password, {
    raw: true,
    type: argon2id,
    version: 0x13, // RFC 9106 §3.1
    memoryCost: memory,
    timeCost: iterations,
    parallelism,
    hashLength: keyLength,
    salt,
  })
  const cost = `m=${memory},t=${iterations},p=${parallelism}`
  return `$argon2id$v=19$${cost}$${withoutPadding(salt)}$${withoutPadding(key)}`
}

const withoutPadding = (bytes: Buffer): string => bytes.toString('base64').replace(/=+$/, '')
