import { randomInt } from 'node:crypto'
import { resolve } from 'node:path'
import { Option } from 'commander'
import { createPrivateFile } from '../files/atomic-write.ts'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import { integer } from './integer.ts'
import type { Cli, Configure } from './invocation.ts'

const LOWER = 'abcdefghijklmnopqrstuvwxyz'
const UPPER = LOWER.toUpperCase()
const DIGITS = '0123456789'
const SYMBOLS = '!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'

/** Authelia's names. */
const CHARSETS = {
  alphanumeric: UPPER + LOWER + DIGITS,
  'alphanumeric-lower': LOWER + DIGITS,
  'alphanumeric-upper': UPPER + DIGITS,
  alphabetic: UPPER + LOWER,
  'alphabetic-lower': LOWER,
  'alphabetic-upper': UPPER,
  numeric: DIGITS,
  'numeric-hex': `${DIGITS}ABCDEF`,
  ascii: UPPER + LOWER + DIGITS + SYMBOLS,
  // RFC 3986 §2.3: unreserved.
  rfc3986: `${UPPER}${LOWER}${DIGITS}-._~`,
} as const

const MAX_LENGTH = 65_536

interface Options {
  readonly length: number
  readonly charset: keyof typeof CHARSETS
  readonly characters?: string
  readonly file: readonly string[]
}

export const configure: Configure = (command, cli) => {
  command
    .option('-n, --length <count>', 'how many characters', integer(1, MAX_LENGTH), 72)
    .addOption(
      new Option('-x, --charset <name>', 'the characters it is made of')
        .choices(Object.keys(CHARSETS))
        .default('alphanumeric'),
    )
    .option('--characters <characters>', 'the characters themselves, in place of --charset')
    .option(
      '--file <path>',
      'store it there (mode 0600) and print nothing; a file that exists is left alone. Repeated: each gets its own',
      (path: string, all: readonly string[]) => [...all, path],
      [],
    )
    .action(() => rand(cli, command.opts<Options>()))
}

function rand(cli: Cli, { length, charset, characters, file }: Options): void {
  const alphabet = characters === undefined ? [...CHARSETS[charset]] : alphabetOf(characters)
  if (file.length === 0) cli.print(`${randomText(length, alphabet)}\n`)
  for (const path of file) store(resolve(cli.cwd, path), randomText(length, alphabet))
}

function alphabetOf(characters: string): string[] {
  const alphabet = [...new Set(characters)]
  if (alphabet.length < 2)
    throw new OperatorError('--characters needs at least two different characters')
  return alphabet
}

/** Each character is as likely as any other: randomInt rejects what a remainder would favour. */
export function randomText(length: number, alphabet: readonly string[]): string {
  let text = ''
  for (let i = 0; i < length; i++) text += alphabet[randomInt(alphabet.length)]
  return text
}

function store(path: string, text: string): void {
  try {
    if (createPrivateFile(path, text) === 'created') return
  } catch (error) {
    throw new OperatorError(`${path} cannot be written (${systemCode(error)})`, undefined, {
      cause: error,
    })
  }
  throw new OperatorError(`${path} exists already and was left alone`)
}
