/**
 * How Authelia seals columns: AES-256-GCM, `nonce | ciphertext | tag`. Up to schema 24 the key is the SHA-256 of
 * `storage.encryption_key`, and nothing ties a value to its place; since then the key is derived by HKDF, and the additional
 * data names table and column (25), and the row (26).
 */
import { createDecipheriv, createHash, hkdfSync } from 'node:crypto'
import type { Secret } from '../kernel/secret.ts'

const NONCE = 12
const TAG = 16
const DERIVED_SINCE = 25
const ROWS_SINCE = 26
const INFO = 'authelia:kdf:storage:encryption_key:v1'

export interface SealedPlace {
  readonly table: string
  readonly column: string
  readonly row: string
  /** Of WebAuthn keys: the host name that they belong to. */
  readonly issuer?: string
}

export interface AutheliaSealer {
  /** @returns undefined when it does not open */
  open(sealed: Uint8Array, place: SealedPlace): Buffer | undefined
}

export function autheliaSealer(secret: Secret, schema: number): AutheliaSealer {
  const key =
    schema < DERIVED_SINCE
      ? createHash('sha256').update(secret.reveal()).digest()
      : Buffer.from(hkdfSync('sha256', secret.reveal(), '', INFO, 32))
  return {
    open(sealed, place) {
      if (sealed.length < NONCE + TAG) return undefined
      const decipher = createDecipheriv('aes-256-gcm', key, sealed.subarray(0, NONCE), {
        authTagLength: TAG,
      })
      const bound = boundTo(place, schema)
      if (bound !== undefined) decipher.setAAD(Buffer.from(bound))
      decipher.setAuthTag(sealed.subarray(sealed.length - TAG))
      try {
        const body = sealed.subarray(NONCE, sealed.length - TAG)
        return Buffer.concat([decipher.update(body), decipher.final()])
      } catch {
        // GCM says "no" by throwing.
        return undefined
      }
    },
  }
}

function boundTo({ table, column, row, issuer }: SealedPlace, schema: number): string | undefined {
  if (schema < DERIVED_SINCE) return undefined
  const parts =
    schema < ROWS_SINCE
      ? [table, ...(issuer === undefined ? [] : [issuer]), column]
      : [table, column, row, ...(issuer === undefined ? [] : [issuer])]
  return ['authelia', 'storage', ...parts].join(':')
}
