import { randomBytes, type ScryptOptions, scrypt as scryptCallback } from 'node:crypto'
import { promisify } from 'node:util'
import { equalBytes, Secret } from '../../../kernel/secret.ts'
import { encodeBase64, parsePhc } from '../phc.ts'
import type { Maker, ParsedDigest, Scheme, ScryptParameters } from '../scheme.ts'

/** Off the event loop, on libuv's threads. */
const derive = promisify<string, Buffer, number, ScryptOptions, Buffer>(scryptCallback)

/** What a digest may ask of this machine. Lengths as for argon2. */
const BOUNDS = {
  ln: { min: 1, max: 20 },
  r: { min: 1, max: 1024 },
  p: { min: 1, max: 256 },
  saltLength: { min: 8, max: 256 },
  keyLength: { min: 16, max: 512 },
} as const
type Parameters = Readonly<Record<keyof typeof BOUNDS, number>>

/** A gibibyte (128·N·r), sixteen times what Authelia's default takes. */
const MAX_BLOCKS = 2 ** 23
/** N·r·p: some ten seconds of one core. */
const MAX_WORK = 2 ** 25
/** Measured: a KiB of scrypt takes as long as so many of argon2. */
const WEIGHT = 5

/** RFC 7914, in the string form of passlib and Authelia. */
export const scrypt: Scheme = {
  name: 'scrypt',
  prefixes: ['$scrypt$'],
  variants: [['scrypt']],
  parse,
  maker: (parameters) => (parameters.algorithm === 'scrypt' ? createMaker(parameters) : undefined),
}

const FORM = 'a scrypt digest looks like $scrypt$ln=16,r=8,p=1$<salt>$<key>'
const refuse = (problem: string, hint = FORM): ParsedDigest => ({ ok: false, problem, hint })

function parse(text: string): ParsedDigest {
  const phc = parsePhc(text)
  if (typeof phc === 'string') return refuse(`is a scrypt digest that ${phc}`)
  const { version, parameters: given, salt, key } = phc
  if (version !== undefined) return refuse('is a scrypt digest with a version')
  for (const name of given.keys()) {
    if (name !== 'ln' && name !== 'r' && name !== 'p')
      return refuse(`is a scrypt digest with an unknown parameter ${name}`)
  }
  const [ln, r, p] = [given.get('ln'), given.get('r'), given.get('p')]
  if (ln === undefined || r === undefined || p === undefined)
    return refuse('is a scrypt digest without one of its parameters ln, r and p')
  const parameters = { ln, r, p, saltLength: salt.length, keyLength: key.length }
  const problem = outOfBounds(parameters)
  if (problem !== undefined) return refuse(`is a scrypt digest whose ${problem}`)
  const cost = costOf(ln, r, p)
  return {
    ok: true,
    digest: {
      scheme: 'scrypt',
      variant: 'scrypt',
      parameters,
      weight: Math.ceil((cost.N * r * p) / 8) * WEIGHT,
      text: new Secret(text),
      matches: async (password) => equalBytes(await derive(password, salt, key.length, cost), key),
    },
  }
}

/** `maxmem` only has to be enough: the bounds are ours. */
const costOf = (ln: number, r: number, p: number) => ({
  N: 2 ** ln,
  r,
  p,
  maxmem: 2 * 128 * MAX_BLOCKS,
})

function createMaker(parameters: ScryptParameters): Maker {
  const { iterations: ln, blockSize: r, parallelism: p, keyLength, saltLength } = parameters
  const write = (salt: Buffer, key: Buffer) =>
    `$scrypt$ln=${ln},r=${r},p=${p}$${encodeBase64(salt)}$${encodeBase64(key)}`
  const decoy = parse(write(randomBytes(saltLength), randomBytes(keyLength)))
  if (!decoy.ok)
    throw new RangeError(`these scrypt parameters make a password that ${decoy.problem}`)
  return {
    decoy: decoy.digest,
    async hash(password, _threads, given) {
      const salt = given ?? randomBytes(saltLength)
      return write(salt, await derive(password, salt, keyLength, costOf(ln, r, p)))
    },
  }
}

function outOfBounds(parameters: Parameters): string | undefined {
  for (const name of ['ln', 'r', 'p', 'saltLength', 'keyLength'] as const) {
    const { min, max } = BOUNDS[name]
    const value = parameters[name]
    if (value >= min && value <= max) continue
    if (name === 'saltLength' || name === 'keyLength')
      return `${name === 'saltLength' ? 'salt' : 'key'} has ${value} bytes, not ${min} to ${max}`
    return `${name}=${value} is not within ${min} to ${max}`
  }
  const { ln, r, p } = parameters
  // RFC 7914 §2: N is less than 2^(128·r/8).
  if (ln >= 16 * r) return `ln=${ln} is too much for r=${r}`
  if (2 ** ln * r > MAX_BLOCKS) return `ln=${ln} and r=${r} take more than 1 GiB of memory`
  if (2 ** ln * r * p > MAX_WORK)
    return `ln=${ln}, r=${r} and p=${p} together would take too long to check`
  return undefined
}
