import { createHmac, randomBytes } from 'node:crypto'
import { equalBytes, Secret } from '../../../kernel/secret.ts'
import { encodeBase64 } from '../phc.ts'
import type { BcryptParameters, Digest, Maker, ParsedDigest, Scheme } from '../scheme.ts'

/** 2^17 rounds are some ten seconds; the floor is the function's own. */
const MIN_COST = 4
const MAX_COST = 17
/** Measured: a round takes as long as so many KiB of argon2. */
const WEIGHT = 150
/** The function looks at no more of a password, in bytes. */
const READS = 72

/**
 * bcrypt (Provos and Mazières, 1999), plain and as passlib's second `bcrypt-sha256`, which has no limit of 72 bytes.
 */
export const bcrypt: Scheme = {
  name: 'bcrypt',
  prefixes: ['$2a$', '$2b$', '$2y$', '$bcrypt-sha256$'],
  variants: [['2a', '2b', '2y'], ['bcrypt-sha256']],
  parse,
  maker: (parameters) => (parameters.algorithm === 'bcrypt' ? createMaker(parameters) : undefined),
}

function parse(text: string): ParsedDigest {
  return text.startsWith('$2') ? parsePlain(text) : parseSha256(text)
}

const FORM = 'a bcrypt digest looks like $2b$12$<22 characters of salt><31 of key>'
const FORM_SHA256 =
  'a bcrypt-sha256 digest looks like $bcrypt-sha256$v=2,t=2b,r=12$<22 characters of salt>$<31 of key>'
const refuse = (problem: string, hint: string): ParsedDigest => ({ ok: false, problem, hint })

const SALT = '([./A-Za-z0-9]{22})'
/** The last character holds four bits: with another one no password would match. */
const KEY = '([./A-Za-z0-9]{30}[.CGKOSWaeimquy26])'
const PLAIN = new RegExp(`^\\$(2[aby])\\$(\\d\\d)\\$${SALT}${KEY}$`)
/** 2x differs from the others in passwords beyond ASCII only, and what it gets here is base64. */
const SHA256 = new RegExp(`^\\$bcrypt-sha256\\$v=2,t=2[abxy],r=([1-9]?\\d)\\$${SALT}\\$${KEY}$`)

function parsePlain(text: string): ParsedDigest {
  const [, variant = '', cost = '', salt = '', key = ''] = PLAIN.exec(text) ?? []
  if (key === '') return refuse('is a malformed bcrypt digest', FORM)
  return (
    outOfBounds(Number(cost)) ?? {
      ok: true,
      digest: {
        ...digestOf(text, variant, Number(cost), salt, key, (password) => password),
        reads: READS,
      },
    }
  )
}

function parseSha256(text: string): ParsedDigest {
  const [, cost = '', salt = '', key = ''] = SHA256.exec(text) ?? []
  if (key === '') return refuse('is a malformed bcrypt-sha256 digest', FORM_SHA256)
  const before = (password: string) => hashedFirst(password, salt)
  return (
    outOfBounds(Number(cost)) ?? {
      ok: true,
      digest: digestOf(text, 'bcrypt-sha256', Number(cost), salt, key, before),
    }
  )
}

/** What `bcrypt-sha256` hands to bcrypt in place of the password: 44 characters, whatever its length. */
const hashedFirst = (password: string, salt: string): string =>
  createHmac('sha256', salt).update(password).digest('base64')

const outOfBounds = (cost: number): ParsedDigest | undefined =>
  cost >= MIN_COST && cost <= MAX_COST
    ? undefined
    : refuse(
        `is a bcrypt digest whose cost ${cost} is not within ${MIN_COST} to ${MAX_COST}`,
        'more would take too long to check; give this user a new password',
      )

function digestOf(
  text: string,
  variant: string,
  cost: number,
  salt: string,
  key: string,
  before: (password: string) => string,
): Digest {
  return {
    scheme: 'bcrypt',
    variant,
    parameters: { cost },
    weight: 2 ** cost * WEIGHT,
    text: new Secret(text),
    matches: async (password, threads) => {
      const found = await threads.run({ kind: 'bcrypt', password: before(password), cost, salt })
      return equalBytes(Buffer.from(found), Buffer.from(key))
    },
  }
}

function createMaker({ variant, cost }: BcryptParameters): Maker {
  const write = (salt: string, key: string) =>
    variant === 'standard'
      ? `$2b$${String(cost).padStart(2, '0')}$${salt}${key}`
      : `$bcrypt-sha256$v=2,t=2b,r=${cost}$${salt}$${key}`
  const decoy = parse(write(encode(randomBytes(16)), encode(randomBytes(23))))
  if (!decoy.ok)
    throw new RangeError(`these bcrypt parameters make a password that ${decoy.problem}`)
  return {
    decoy: decoy.digest,
    async hash(password, threads, given) {
      const salt = given?.toString('latin1') ?? encode(randomBytes(16))
      const first = variant === 'standard' ? password : hashedFirst(password, salt)
      return write(salt, await threads.run({ kind: 'bcrypt', password: first, cost, salt }))
    },
  }
}

const BASE64 = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'
const OWN_BASE64 = './ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'

/** bcrypt's base64: the usual one with another alphabet, without padding. */
const encode = (bytes: Buffer): string =>
  encodeBase64(bytes).replace(/./g, (character) => OWN_BASE64[BASE64.indexOf(character)] ?? '')
