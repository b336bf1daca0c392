import type { ParsedDigest } from './scheme.ts'
import { schemes } from './schemes/index.ts'

/** The longest real digest is a sha512-crypt or a pbkdf2-sha512 one, under 200 characters. */
const MAX_LENGTH = 1024

const NEW_PASSWORD = 'give this user a new password: vestibule hash-password makes a digest'

/** Recognised, so that the refusal can say what it is. First match wins. */
const REFUSED: readonly (readonly [RegExp, problem: string, hint: string])[] = [
  [/^\$2x?\$/, 'is a bcrypt digest of a faulty variant, 2 or 2x', NEW_PASSWORD],
  [/^\$(y|gy|7)\$/, 'is a yescrypt digest, which is not read', NEW_PASSWORD],
  [/^\$1\$/, 'is an md5-crypt digest, which protects nothing any more', NEW_PASSWORD],
  [
    /^\$(plaintext|base64)\$/,
    'is not a digest but the password itself',
    'a password is stored as a digest only: vestibule hash-password makes one',
  ],
]

/**
 * Reads a stored password digest of any scheme in schemes/, with or without `{CRYPT}` before it.
 *
 * Strict and bounded: what cannot be verified later, or would take longer than people wait, is refused now, so that a
 * users file is wrong at load and not at a sign-in. The refusal repeats nothing of the text.
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
  return {
    ok: false,
    problem: 'is not a password digest',
    hint: `${hint}: vestibule hash-password makes one`,
  }
}
