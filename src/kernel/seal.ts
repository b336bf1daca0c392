import {
  createCipheriv,
  createDecipheriv,
  createSecretKey,
  hkdfSync,
  type KeyObject,
  randomBytes,
} from 'node:crypto'
import type { Secret } from './secret.ts'

/** NIST SP 800-38D §8.2.2: random 96-bit nonces are good for 2^32 messages a key. */
const NONCE = 12
const TAG = 16
const VERSION = 1

/**
 * Seals and opens small records: AES-256-GCM, random nonce, additional data that ties a record to its place.
 * A ring: the first key seals, all of them open, so that a key can be changed without losing what it sealed.
 */
export interface Sealer {
  /** @param place what the record belongs to (table, row, column, or a store's key); needed again to open it */
  seal(plain: Uint8Array, place: string): Buffer
  /** @returns undefined when no key of the ring opens it: another key, another place, tampered or truncated */
  open(sealed: Uint8Array, place: string): Buffer | undefined
}

/**
 * @param secrets newest first, at least one; each gives one 256-bit key (HKDF-SHA-256, RFC 5869)
 * @param purpose separates keys that are derived from the same secret
 */
export function createSealer(secrets: readonly Secret[], purpose: string): Sealer {
  // KeyObjects: a raw Buffer key costs four times as much per call on Node 24.
  const keys = secrets.map((secret) => deriveKey(secret, purpose))
  const [first] = keys
  if (first === undefined) throw new TypeError('a sealer needs at least one secret')
  return {
    seal(plain, place) {
      const nonce = randomBytes(NONCE)
      const cipher = createCipheriv('aes-256-gcm', first, nonce)
      cipher.setAAD(Buffer.from(place))
      const body = Buffer.concat([cipher.update(plain), cipher.final()])
      return Buffer.concat([Buffer.of(VERSION), nonce, body, cipher.getAuthTag()])
    },
    open(sealed, place) {
      if (sealed.length < 1 + NONCE + TAG || sealed[0] !== VERSION) return undefined
      for (const key of keys) {
        const plain = openWith(key, sealed, place)
        if (plain !== undefined) return plain
      }
      return undefined
    },
  }
}

/**
 * The place of a sealed column: a row that is copied to another user, and a value that is moved to another column, do not
 * open there.
 * @param key the values of the row's key, in the order in which the manifest names its columns
 */
export const sealedPlace = (table: string, column: string, key: readonly string[]): string =>
  JSON.stringify([table, column, ...key])

export function deriveKey(secret: Secret, purpose: string): KeyObject {
  return createSecretKey(Buffer.from(hkdfSync('sha256', secret.reveal(), 'vestibule', purpose, 32)))
}

function openWith(key: KeyObject, sealed: Uint8Array, place: string): Buffer | undefined {
  const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(1, 1 + NONCE), {
    authTagLength: TAG,
  })
  decipher.setAAD(Buffer.from(place))
  decipher.setAuthTag(sealed.subarray(sealed.length - TAG))
  try {
    return Buffer.concat([
      decipher.update(sealed.subarray(1 + NONCE, sealed.length - TAG)),
      decipher.final(),
    ])
  } catch {
    // GCM says "no" by throwing; undefined is this function's no.
    return undefined
  }
}
