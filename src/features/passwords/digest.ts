import type { ParsedDigest } from './scheme.ts'
import { schemes } from './schemes/index.ts'

/** The longest real digest is a sha512-crypt or a pbkdf2-sha512 one, under 200 characters. */
const MAX_LENGTH = 1024

const NEW_PASSWORD = 'give this user a new password: argon2id is what is read'
const LATER = 'this scheme is not supported yet'

/** Recognised, so that the refusal can say what it is. First match wins. */
const REFUSED: readonly (readonly [RegExp, problem: string, hint: string])[] = [
  [/^\$[56]\$/, `is a sha-crypt digest: ${LATER}`, NEW_PASSWORD],
  [/^\$2x\$/, 'is a bcrypt digest of the faulty variant 2x', NEW_PASSWORD],
  [/^\$2[aby]?\$/, `is a bcrypt digest: ${LATER}`, NEW_PASSWORD],
  [/^\$bcrypt-sha256\$/, `is a bcrypt-sha256 digest: ${LATER}`, NEW_PASSWORD],
  [/^\$scrypt\$/, `is a scrypt digest: ${LATER}`, NEW_PASSWORD],
  [/^\$pbkdf2(-sha\d+)?\$/, `is a pbkdf2 digest: ${LATER}`, NEW_PASSWORD],
  [/^pbkdf2_sha256\$/, `is a pbkdf2 digest of Frigate's: ${LATER}`, NEW_PASSWORD],
  [/^\$(y|gy|7)\$/, 'is a yescrypt digest, which is not read', NEW_PASSWORD],
  [
    /^\$(plaintext|base64)\$/,
    'is not a digest but the password itself',
    'a password is stored as a digest only; give this user a new one',
  ],
]

/**
 * Reads a stored password digest: argon2id, argon2i or argon2d, with or without `{CRYPT}` before it.
 *
 * Strict: what cannot be verified later is refused now, so that a users file is wrong at load and not at somebody's
 * sign-in. The refusal repeats nothing of the text.
 */
export function parseDigest(text: string): ParsedDigest {
  const hint = 'a digest such as $argon2id$v=19$m=65536,t=3,p=4$<salt>$<key>'
  if (text.length > MAX_LENGTH) return { ok: false, problem: 'is too long for a digest', hint }
  const bare = text.replace(/^\{CRYPT\}/i, '')
  for (const scheme of schemes) {
    if (scheme.prefixes.some((prefix) => bare.startsWith(prefix))) return scheme.parse(bare)
  }
  for (const [pattern, problem, advice] of REFUSED) {
    if (pattern.test(bare)) return { ok: false, problem, hint: advice }
  }
  return { ok: false, problem: 'is not a password digest', hint }
}
