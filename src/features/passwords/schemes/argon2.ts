import { randomBytes } from 'node:crypto'
import { equalBytes, Secret } from '../../../kernel/secret.ts'
import { argon2Binding } from '../argon2-binding.ts'
import { encodeBase64, parsePhc } from '../phc.ts'
import type { Argon2Parameters, Digest, Maker, ParsedDigest, Scheme } from '../scheme.ts'

/** RFC 9106 §3.1: version 0x13, the only one that is still written. */
const VERSION = 19
const GIB = 1024 * 1024 // in KiB

/**
 * What a digest may ask of this machine. `min` of the lengths: RFC 9106 wants a salt of 8 bytes; a key below 16 is a
 * digest that was cut off. `parallelism` 255 is all that Go's library, and so Authelia, can write.
 */
const BOUNDS = {
  memory: { min: 8, max: 4 * GIB },
  iterations: { min: 1, max: 1000 },
  parallelism: { min: 1, max: 255 },
  saltLength: { min: 8, max: 256 },
  keyLength: { min: 16, max: 512 },
} as const

/**
 * KiB filled, each pass counted: some ten seconds of one core. Without it one line of the users file, within every
 * other bound, would occupy a hashing slot for an hour.
 */
export const MAX_ARGON2_WORK = 16 * GIB

/** RFC 9106 in its three variants; what new digests are made with. */
export const argon2: Scheme = {
  name: 'argon2',
  prefixes: ['$argon2id$', '$argon2i$', '$argon2d$'],
  variants: [['argon2i', 'argon2d'], ['argon2id']],
  parse,
  maker: (parameters) => (parameters.algorithm === 'argon2' ? createMaker(parameters) : undefined),
}

const FORM = 'an argon2 digest looks like $argon2id$v=19$m=65536,t=3,p=4$<salt>$<key>'
const refuse = (problem: string, hint = FORM): ParsedDigest => ({ ok: false, problem, hint })

function parse(text: string): ParsedDigest {
  const phc = parsePhc(text)
  if (typeof phc === 'string') return refuse(`is an argon2 digest that ${phc}`)
  const { id, version, parameters: given, salt, key } = phc
  if (id !== 'argon2id' && id !== 'argon2i' && id !== 'argon2d') return refuse('is not argon2')
  if (version !== VERSION)
    return refuse('is an argon2 digest of another version', 'only v=19 is read; set a new password')
  for (const name of given.keys()) {
    if (name !== 'm' && name !== 't' && name !== 'p')
      return refuse(`is an argon2 digest with an unknown parameter ${name}`)
  }
  const memory = given.get('m')
  if (memory === undefined) return refuse('is an argon2 digest without its memory, m=…')
  const parameters: Argon2Parameters = {
    variant: id,
    memory,
    // Older Authelias left both out when they were the defaults of their library. 4 was found by recomputing: the
    // digest with `m=65536` alone in their documentation is that of its password with p=4, not with 1, 2 or 8.
    iterations: given.get('t') ?? 1,
    parallelism: given.get('p') ?? 4,
    saltLength: salt.length,
    keyLength: key.length,
  }
  const problem = outOfBounds(parameters)
  if (problem !== undefined) return refuse(`is an argon2 digest whose ${problem}`)
  return { ok: true, digest: digestOf(text, parameters, salt, key) }
}

function outOfBounds(parameters: Argon2Parameters): string | undefined {
  const names = { memory: 'm', iterations: 't', parallelism: 'p', saltLength: '', keyLength: '' }
  for (const name of ['memory', 'iterations', 'parallelism', 'saltLength', 'keyLength'] as const) {
    const { min, max } = BOUNDS[name]
    const value = parameters[name]
    if (value >= min && value <= max) continue
    const letter = names[name]
    return letter === ''
      ? `${name === 'saltLength' ? 'salt' : 'key'} has ${value} bytes, not ${min} to ${max}`
      : `${name} ${letter}=${value} is not within ${min} to ${max}`
  }
  // RFC 9106 §3.1: each lane needs eight blocks of 1 KiB.
  if (parameters.memory < 8 * parameters.parallelism)
    return 'memory m is less than eight times its parallelism p'
  if (parameters.memory * parameters.iterations > MAX_ARGON2_WORK)
    return `memory m times its iterations t is more than ${MAX_ARGON2_WORK}, which would take too long to check`
  return undefined
}

function digestOf(text: string, parameters: Argon2Parameters, salt: Buffer, key: Buffer): Digest {
  const { variant, ...numbers } = parameters
  return {
    scheme: 'argon2',
    variant,
    parameters: numbers,
    weight: parameters.memory * parameters.iterations,
    text: new Secret(text),
    matches: async (password) => equalBytes(await derive(password, parameters, salt), key),
  }
}

function createMaker(parameters: Argon2Parameters): Maker {
  const { variant, memory: m, iterations: t, parallelism: p, saltLength, keyLength } = parameters
  const write = (salt: Buffer, key: Buffer) =>
    `$${variant}$v=${VERSION}$m=${m},t=${t},p=${p}$${encodeBase64(salt)}$${encodeBase64(key)}`
  const [salt, key] = [randomBytes(saltLength), randomBytes(keyLength)]
  const decoy = parse(write(salt, key))
  if (!decoy.ok)
    throw new RangeError(`these argon2 parameters make a password that ${decoy.problem}`)
  return {
    decoy: decoy.digest,
    async hash(password, _threads, given) {
      const fresh = given ?? randomBytes(saltLength)
      return write(fresh, await derive(password, parameters, fresh))
    },
  }
}

async function derive(password: string, parameters: Argon2Parameters, salt: Buffer) {
  const { derive } = await argon2Binding()
  return derive(password, parameters, salt)
}
