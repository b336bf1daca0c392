import { pbkdf2 as pbkdf2Callback, randomBytes } from 'node:crypto'
import { promisify } from 'node:util'
import { equalBytes, Secret } from '../../../kernel/secret.ts'
import { decodeBase64, encodeBase64 } from '../phc.ts'
import type { Maker, ParsedDigest, Pbkdf2Parameters, Scheme } from '../scheme.ts'

/** Off the event loop, on libuv's threads. */
const derive = promisify(pbkdf2Callback)

/** Length of the key in bytes, and measured: as many KiB of argon2 an iteration takes as long as. */
const HASHES = {
  sha1: { size: 20, weight: 0.35 },
  sha224: { size: 28, weight: 0.35 },
  sha256: { size: 32, weight: 0.35 },
  sha384: { size: 48, weight: 1 },
  sha512: { size: 64, weight: 1 },
} as const
type Hash = keyof typeof HASHES

/** Some five seconds of one core with sha512, six times Authelia's costliest default. */
const MAX_ITERATIONS = 10_000_000
const MIN_SALT = 8
const MAX_SALT = 256

/**
 * RFC 8018 with HMAC, as passlib and Authelia write it (`$pbkdf2-sha512$…`, base64 with `.` for `+`) and as Frigate and
 * Django do (`pbkdf2_sha256$…`, where the salt is the text itself). Made in the former way.
 */
export const pbkdf2: Scheme = {
  name: 'pbkdf2',
  prefixes: [
    '$pbkdf2$',
    '$pbkdf2-sha224$',
    '$pbkdf2-sha256$',
    '$pbkdf2-sha384$',
    '$pbkdf2-sha512$',
    'pbkdf2_sha256$',
  ],
  variants: Object.keys(HASHES).map((name) => [name]),
  parse: (text) => (text.startsWith('$') ? parseModular(text) : parseDjango(text)),
  maker: (parameters) => (parameters.algorithm === 'pbkdf2' ? createMaker(parameters) : undefined),
}

const FORM = 'a pbkdf2 digest looks like $pbkdf2-sha512$310000$<salt>$<key>'
const FORM_DJANGO =
  'a pbkdf2 digest of Frigate looks like pbkdf2_sha256$600000$<salt>$<44 characters of base64>'
const refuse = (problem: string, hint: string): ParsedDigest => ({ ok: false, problem, hint })

const MODULAR = /^\$pbkdf2(?:-(sha224|sha256|sha384|sha512))?\$([1-9]\d{0,9})\$([^$]*)\$([^$]*)$/

function parseModular(text: string): ParsedDigest {
  const [, name = 'sha1', iterations, saltText = '', keyText = ''] = MODULAR.exec(text) ?? []
  if (iterations === undefined) return refuse('is a malformed pbkdf2 digest', FORM)
  const salt = decodeBase64(saltText.replaceAll('.', '+'))
  const key = decodeBase64(keyText.replaceAll('.', '+'))
  if (salt === undefined || key === undefined)
    return refuse('is a pbkdf2 digest whose salt or key is not base64', FORM)
  // The pattern admits no other name.
  return digestOf(text, name as Hash, Number(iterations), salt, key, FORM)
}

const DJANGO = /^pbkdf2_sha256\$([1-9]\d{0,9})\$([!-#%-~]*)\$([A-Za-z0-9+/]{43}=)$/

function parseDjango(text: string): ParsedDigest {
  const [, iterations, salt = '', key = ''] = DJANGO.exec(text) ?? []
  if (iterations === undefined) return refuse('is a malformed pbkdf2 digest', FORM_DJANGO)
  return digestOf(
    text,
    'sha256',
    Number(iterations),
    Buffer.from(salt),
    Buffer.from(key, 'base64'),
    FORM_DJANGO,
  )
}

function digestOf(
  text: string,
  variant: Hash,
  iterations: number,
  salt: Buffer,
  key: Buffer,
  form: string,
): ParsedDigest {
  if (salt.length < MIN_SALT || salt.length > MAX_SALT)
    return refuse(
      `is a pbkdf2 digest whose salt has ${salt.length} bytes, not ${MIN_SALT} to ${MAX_SALT}`,
      form,
    )
  // A shorter key would be the beginning of this one: what was cut off would go unnoticed.
  const { size, weight } = HASHES[variant]
  if (key.length !== size)
    return refuse(`is a pbkdf2 digest whose key has ${key.length} bytes, not ${size}`, form)
  if (iterations > MAX_ITERATIONS)
    return refuse(
      `is a pbkdf2 digest with more than ${MAX_ITERATIONS} iterations`,
      'more would take too long to check; give this user a new password',
    )
  return {
    ok: true,
    digest: {
      scheme: 'pbkdf2',
      variant,
      parameters: { iterations, saltLength: salt.length },
      weight: Math.ceil(iterations * weight),
      text: new Secret(text),
      matches: async (password) =>
        equalBytes(await derive(password, salt, iterations, key.length, variant), key),
    },
  }
}

function createMaker({ variant, iterations, saltLength }: Pbkdf2Parameters): Maker {
  const name = variant === 'sha1' ? 'pbkdf2' : `pbkdf2-${variant}`
  const encode = (bytes: Buffer) => encodeBase64(bytes).replaceAll('+', '.')
  const write = (salt: Buffer, key: Buffer) =>
    `$${name}$${iterations}$${encode(salt)}$${encode(key)}`
  const { size } = HASHES[variant]
  const decoy = parseModular(write(randomBytes(saltLength), randomBytes(size)))
  if (!decoy.ok)
    throw new RangeError(`these pbkdf2 parameters make a password that ${decoy.problem}`)
  return {
    decoy: decoy.digest,
    async hash(password, _threads, given) {
      const salt = given ?? randomBytes(saltLength)
      return write(salt, await derive(password, salt, iterations, size, variant))
    },
  }
}
