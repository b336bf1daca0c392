import { z } from 'zod'
import type { EpochMs } from '../../../../kernel/clock.ts'

/** A security key or a passkey that a user has registered. */
export interface Credential {
  /** Ours, random. */
  readonly id: string
  /** Canonical name of the user. */
  readonly user: string
  /** The host name at which it works. */
  readonly rpId: string
  /** The authenticator's own id of it, base64url. */
  readonly keyId: string
  /** What the user calls it. */
  readonly name: string
  /** Format of the attestation statement that came with it. */
  readonly attestation: string
  readonly aaguid: string
  /** Empty when the browser did not say. */
  readonly attachment: string
  readonly transports: readonly string[]
  readonly signCount: number
  /** It once counted less than before: there may be a copy. It is refused from then on. */
  readonly cloneWarning: boolean
  /** It remembers whose it is: a passkey. */
  readonly discoverable: boolean
  /** It asked for its PIN or a finger when it was registered. */
  readonly verified: boolean
  readonly backupEligible: boolean
  readonly backedUp: boolean
  readonly createdAt: EpochMs
  readonly lastUsedAt: EpochMs | undefined
}

export interface NewCredential
  extends Omit<Credential, 'id' | 'cloneWarning' | 'createdAt' | 'lastUsedAt'> {
  /** COSE_Key. */
  readonly publicKey: Uint8Array
}

/** What the key is asked to prove. */
export interface StoredKey {
  readonly credential: Credential
  /** COSE_Key. */
  readonly publicKey: Buffer
  /** What the key calls the user, base64url. Undefined: it was imported from a file that does not say it. */
  readonly handle: string | undefined
}

/** Characters of a name. */
const MAX_NAME = 64

/** What a user may call a key: one line of what can be seen. */
export const CredentialName = z
  .string()
  .transform((text) => text.normalize('NFC').trim())
  .pipe(
    z
      .string()
      .min(1)
      .max(MAX_NAME)
      .regex(/^\P{C}+$/u),
  )

/** Ours are 16 characters. */
export const CredentialId = z.string().regex(/^[A-Za-z0-9_-]{1,64}$/)
