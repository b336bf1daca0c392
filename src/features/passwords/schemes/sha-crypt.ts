import { randomInt } from 'node:crypto'
import { equalBytes, Secret } from '../../../kernel/secret.ts'
import type { Digest, Maker, ParsedDigest, Scheme, Sha2CryptParameters } from '../scheme.ts'
import { ALPHABET } from '../sha-crypt.ts'

/** What the C library takes when a digest says none; the floor is its own. The ceiling is some six seconds. */
const DEFAULT_ROUNDS = 5000
const MIN_ROUNDS = 1000
export const MAX_ROUNDS = 5_000_000
/** Measured: a round takes as long as so many KiB of argon2. */
const WEIGHT = { sha256: 1, sha512: 1.25 } as const
const MAX_SALT = 16

type Variant = keyof typeof WEIGHT

/** The SHA crypts of the C library, `$5$` and `$6$`. */
export const shaCrypt: Scheme = {
  name: 'sha-crypt',
  prefixes: ['$5$', '$6$'],
  variants: [['sha256'], ['sha512']],
  parse,
  maker: (parameters) =>
    parameters.algorithm === 'sha2crypt' ? createMaker(parameters) : undefined,
}

const FORM = 'a sha512-crypt digest looks like $6$rounds=50000$<salt>$<86 characters of key>'
const refuse = (problem: string, hint = FORM): ParsedDigest => ({ ok: false, problem, hint })

/** The last character holds four bits of sha256's 43 and two of sha512's 86: with another one no password would match. */
const FORMS = {
  sha256: /^\$5\$(?:rounds=([1-9]\d{0,8})\$)?([./0-9A-Za-z]{1,16})\$([./0-9A-Za-z]{42}[./0-9A-D])$/,
  sha512: /^\$6\$(?:rounds=([1-9]\d{0,8})\$)?([./0-9A-Za-z]{1,16})\$([./0-9A-Za-z]{85}[./01])$/,
} as const

function parse(text: string): ParsedDigest {
  const variant = text.startsWith('$5$') ? 'sha256' : 'sha512'
  const [, roundsText, salt = '', key = ''] = FORMS[variant].exec(text) ?? []
  if (key === '') return refuse(`is a malformed ${variant}-crypt digest`)
  const rounds = roundsText === undefined ? DEFAULT_ROUNDS : Number(roundsText)
  if (rounds < MIN_ROUNDS || rounds > MAX_ROUNDS)
    return refuse(
      `is a ${variant}-crypt digest whose rounds are not within ${MIN_ROUNDS} to ${MAX_ROUNDS}`,
    )
  return { ok: true, digest: digestOf(text, variant, rounds, salt, key) }
}

function digestOf(
  text: string,
  variant: Variant,
  rounds: number,
  salt: string,
  key: string,
): Digest {
  return {
    scheme: 'sha-crypt',
    variant,
    parameters: { rounds, saltLength: salt.length },
    weight: Math.ceil(rounds * WEIGHT[variant]),
    text: new Secret(text),
    matches: async (password, threads) => {
      const found = await threads.run({ kind: 'sha-crypt', variant, password, rounds, salt })
      return equalBytes(Buffer.from(found), Buffer.from(key))
    },
  }
}

function createMaker({ variant, iterations: rounds, saltLength }: Sha2CryptParameters): Maker {
  const id = variant === 'sha256' ? 5 : 6
  const write = (salt: string, key: string) => `$${id}$rounds=${rounds}$${salt}$${key}`
  // What the last character may be, the forms above say.
  const key =
    variant === 'sha256' ? characters(42) + characters(1, 16) : characters(85) + characters(1, 4)
  const decoy = parse(write(characters(saltLength), key))
  if (!decoy.ok || saltLength > MAX_SALT)
    throw new RangeError('these sha2crypt parameters make no digest that can be read')
  return {
    decoy: decoy.digest,
    async hash(password, threads, given) {
      const salt = given?.toString('latin1') ?? characters(saltLength)
      const key = await threads.run({
        kind: 'sha-crypt',
        variant,
        password,
        rounds,
        salt,
      })
      return write(salt, key)
    },
  }
}

/** From the system's generator. */
const characters = (count: number, among = ALPHABET.length): string =>
  Array.from({ length: count }, () => ALPHABET[randomInt(among)]).join('')
