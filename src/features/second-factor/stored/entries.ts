/** Factors as they leave the database and come back, opened: what operations carry. A leaf. */
import { z } from 'zod'

/** Base32 (RFC 4648 §6), without padding; at least the 80 bits that old apps were given. */
const BASE32 = /^[A-Z2-7]{16,208}$/
/** The bytes of the shortest and longest secret that are taken, as base32. */
export const secretText = z
  .string()
  .transform((text) => text.replace(/[\s=]/g, '').toUpperCase())
  .pipe(z.string().regex(BASE32, 'is no base32 text of 16 to 208 characters'))

export const userName = z
  .string()
  .min(1)
  .max(256)
  .regex(/^\P{Cc}+$/u, 'holds a control character')
  .describe('the name of the user, as the user backend spells it')
export const issuerName = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^:\p{Cc}]+$/u, 'holds a colon or a control character')
export const totpAlgorithm = z
  .string()
  .toUpperCase()
  .pipe(z.enum(['SHA1', 'SHA256', 'SHA512']))
export const totpDigits = z.literal([6, 8])
export const totpPeriod = z.int().min(15).max(3600)

/** Times are milliseconds since 1970. */
const time = z.int().min(0)

export const totpSummary = z.object({
  user: userName,
  issuer: issuerName,
  algorithm: totpAlgorithm,
  digits: totpDigits,
  period: totpPeriod,
  createdAt: time,
  lastUsedAt: time.nullable(),
})
export const totpEntry = totpSummary.extend({ secret: secretText })
export type TotpSummary = z.infer<typeof totpSummary>
export type TotpEntry = z.infer<typeof totpEntry>

const base64url = z.base64url().min(1).max(2048)

export const keySummary = z.object({
  user: userName,
  rpId: z.string().min(1).max(255),
  keyId: base64url,
  name: z.string().min(1).max(64),
  attestation: z.string().max(64),
  aaguid: z.string().max(36),
  attachment: z.string().max(64),
  transports: z.array(z.string().max(32)).max(16),
  signCount: z.int().min(0).max(0xffff_ffff),
  cloneWarning: z.boolean(),
  discoverable: z.boolean(),
  verified: z.boolean(),
  backupEligible: z.boolean(),
  backedUp: z.boolean(),
  createdAt: time,
  lastUsedAt: time.nullable(),
})
export const keyEntry = keySummary.extend({
  /** COSE_Key. */
  publicKey: z.base64url().min(1).max(8192),
  /** What the key calls the user; null where the file did not say. */
  handle: z.base64url().min(1).max(128).nullable(),
})
export type KeySummary = z.infer<typeof keySummary>
export type KeyEntry = z.infer<typeof keyEntry>

/** What an import has done, or would do. */
export const imported = z.object({ added: z.number(), replaced: z.number() })
export type Imported = z.infer<typeof imported>
/** What an import has done, and whose factors were there before. */
export interface Put extends Imported {
  readonly usersReplaced: readonly string[]
}

export interface ImportWish {
  /** Replaces what is there already. Without it that is refused. */
  readonly force: boolean
  /** Looks, and changes nothing. */
  readonly dryRun: boolean
}
