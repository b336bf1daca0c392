/** What the operator may ask of stored factors. A leaf: the command line loads it without the rest of the feature. */
import { z } from 'zod'
import { defineOperation } from '../../../kernel/operation.ts'
import type { Audit } from '../../audit/index.ts'
import {
  imported,
  issuerName,
  keyEntry,
  keySummary,
  secretText,
  totpAlgorithm,
  totpDigits,
  totpEntry,
  totpPeriod,
  totpSummary,
  userName,
} from './entries.ts'
import type { StoredFactors } from './stored-factors.ts'

interface Services {
  readonly storedFactors: StoredFactors
  readonly audit: Pick<Audit, 'record'>
}

/** More than any installation has users; it bounds what one request makes the database do. */
const MAX_ENTRIES = 50_000

const ofUser = z.strictObject({ user: userName.optional() })
const importOf = <T extends z.ZodType>(entry: T) =>
  z.strictObject({
    entries: z.array(entry).max(MAX_ENTRIES),
    force: z.boolean(),
    dryRun: z.boolean(),
  })

export const listTotp = defineOperation({
  name: 'totp.list',
  summary: 'list the one-time codes of users, without their secrets',
  who: 'operator',
  input: z.strictObject({}),
  output: z.array(totpSummary),
  audits: [],
  run: async ({ storedFactors }: Services) => [...(await storedFactors.totp.list())],
})

export const exportTotp = defineOperation({
  name: 'totp.export',
  summary: 'write one-time codes with their secrets to a file',
  who: 'operator',
  input: ofUser,
  output: z.array(totpEntry),
  audits: ['factor.exported'],
  async run({ storedFactors, audit }: Services, { user }, { actor }) {
    const entries = await storedFactors.totp.entries(user)
    for (const one of entries)
      audit.record('factor.exported', { user: one.user, actor, details: { method: 'totp' } })
    return [...entries]
  },
})

export const importTotp = defineOperation({
  name: 'totp.import',
  summary: 'add the one-time codes of a file',
  who: 'operator',
  input: importOf(totpEntry),
  output: imported,
  audits: ['factor.added'],
  async run({ storedFactors, audit }: Services, { entries, ...wish }, { actor }) {
    const done = await storedFactors.totp.put(entries, wish)
    if (!wish.dryRun)
      for (const { user } of entries)
        audit.record('factor.added', { user, actor, details: { method: 'totp' } })
    return done
  },
})

export const generateTotp = defineOperation({
  name: 'totp.generate',
  summary: 'give a user one-time codes, which count at once',
  who: 'operator',
  input: z.strictObject({
    user: userName,
    issuer: issuerName.optional(),
    algorithm: totpAlgorithm.optional(),
    digits: totpDigits.optional(),
    period: totpPeriod.optional(),
    secretSize: z.int().min(20).max(128).optional(),
    secret: secretText.optional(),
    force: z.boolean(),
  }),
  output: totpEntry,
  audits: ['factor.added'],
  async run({ storedFactors, audit }: Services, asked, { actor }) {
    const entry = await storedFactors.totp.generate(asked)
    audit.record('factor.added', { user: entry.user, actor, details: { method: 'totp' } })
    return entry
  },
})

export const deleteTotp = defineOperation({
  name: 'totp.delete',
  summary: 'remove the one-time codes of a user',
  who: 'operator',
  input: z.strictObject({ user: userName }),
  output: z.object({ removed: z.boolean() }),
  audits: ['factor.removed'],
  async run({ storedFactors, audit }: Services, { user }, { actor }) {
    const removed = await storedFactors.totp.remove(user)
    const details = { method: 'totp', reason: 'reset' }
    if (removed) audit.record('factor.removed', { user, actor, details })
    return { removed }
  },
})

export const listKeys = defineOperation({
  name: 'webauthn.list',
  summary: 'list the security keys and passkeys of one user or of all',
  who: 'operator',
  input: ofUser,
  output: z.array(keySummary),
  audits: [],
  run: async ({ storedFactors }: Services, { user }) => [...(await storedFactors.keys.list(user))],
})

export const exportKeys = defineOperation({
  name: 'webauthn.export',
  summary: 'write security keys and passkeys to a file',
  who: 'operator',
  input: ofUser,
  output: z.array(keyEntry),
  audits: ['factor.exported'],
  async run({ storedFactors, audit }: Services, { user }, { actor }) {
    const entries = await storedFactors.keys.entries(user)
    for (const one of new Set(entries.map((entry) => entry.user)))
      audit.record('factor.exported', { user: one, actor, details: { method: 'webauthn' } })
    return [...entries]
  },
})

export const importKeys = defineOperation({
  name: 'webauthn.import',
  summary: 'add the security keys and passkeys of a file',
  who: 'operator',
  input: importOf(keyEntry),
  output: imported,
  audits: ['factor.added'],
  async run({ storedFactors, audit }: Services, { entries, ...wish }, { actor }) {
    const done = await storedFactors.keys.put(entries, wish)
    if (!wish.dryRun)
      for (const { user } of entries)
        audit.record('factor.added', { user, actor, details: { method: 'webauthn' } })
    return done
  },
})

export const deleteKeys = defineOperation({
  name: 'webauthn.delete',
  summary: 'remove security keys and passkeys: one, or all of a user',
  who: 'operator',
  input: z.strictObject({
    user: userName.optional(),
    /** base64url. */
    keyId: z.string().min(1).max(2048).optional(),
    name: z.string().min(1).max(64).optional(),
  }),
  output: z.array(keySummary),
  audits: ['factor.removed'],
  async run({ storedFactors, audit }: Services, which, { actor }) {
    const removed = await storedFactors.keys.remove(which)
    const details = { method: 'webauthn', reason: 'reset' }
    for (const { user } of removed) audit.record('factor.removed', { user, actor, details })
    return [...removed]
  },
})

export const storedOperations = [
  ...[listTotp, exportTotp, importTotp, generateTotp, deleteTotp],
  ...[listKeys, exportKeys, importKeys, deleteKeys],
] as const
