/** What the operator may ask of stored factors. A leaf: the command line loads it without the rest of the feature. */
import { z } from 'zod'
import { type Caller, defineOperation } from '../../../kernel/operation.ts'
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
  readonly sessions: {
    /** @returns how many there were */
    revokeUser(user: string): Promise<number>
  }
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

/**
 * What rests on a factor ends with it, as when its owner removes it: sessions that may have risen by it, and trust in browsers.
 * @param changed users whose factors were added, replaced or removed
 * @param gone those of them who had another factor, or one more, before
 */
async function endWhatRests(
  { storedFactors, sessions, audit }: Services,
  actor: Caller['actor'],
  { changed, gone }: { readonly changed: readonly string[]; readonly gone: readonly string[] },
): Promise<void> {
  for (const user of new Set(gone)) {
    const count = await sessions.revokeUser(user)
    const details = { sessions: count, reason: 'factor-changed' } as const
    if (count > 0) audit.record('session.revoked', { user, actor, details })
  }
  // Afterwards: a browser that is trusted while sessions end is forgotten too.
  await storedFactors.forgetTrust([...new Set(changed)])
}

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
  audits: ['factor.added', 'session.revoked'],
  async run(services: Services, { entries, ...wish }, { actor }) {
    const done = await services.storedFactors.totp.put(entries, wish)
    if (wish.dryRun) return done
    for (const { user } of entries)
      services.audit.record('factor.added', { user, actor, details: { method: 'totp' } })
    const changed = entries.map(({ user }) => user)
    await endWhatRests(services, actor, { changed, gone: done.usersReplaced })
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
  audits: ['factor.added', 'session.revoked'],
  async run(services: Services, asked, { actor }) {
    const entry = await services.storedFactors.totp.generate(asked)
    const { user } = entry
    services.audit.record('factor.added', { user, actor, details: { method: 'totp' } })
    await endWhatRests(services, actor, { changed: [user], gone: asked.force ? [user] : [] })
    return entry
  },
})

export const deleteTotp = defineOperation({
  name: 'totp.delete',
  summary: 'remove the one-time codes of a user',
  who: 'operator',
  input: z.strictObject({ user: userName }),
  output: z.object({ removed: z.boolean() }),
  audits: ['factor.removed', 'session.revoked'],
  async run(services: Services, { user }, { actor }) {
    const removed = await services.storedFactors.totp.remove(user)
    if (!removed) return { removed }
    const details = { method: 'totp', reason: 'reset' }
    services.audit.record('factor.removed', { user, actor, details })
    await endWhatRests(services, actor, { changed: [user], gone: [user] })
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
  audits: ['factor.added', 'session.revoked'],
  async run(services: Services, { entries, ...wish }, { actor }) {
    const done = await services.storedFactors.keys.put(entries, wish)
    if (wish.dryRun) return done
    for (const { user } of entries)
      services.audit.record('factor.added', { user, actor, details: { method: 'webauthn' } })
    const changed = entries.map(({ user }) => user)
    await endWhatRests(services, actor, { changed, gone: done.usersReplaced })
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
  audits: ['factor.removed', 'session.revoked'],
  async run(services: Services, which, { actor }) {
    const removed = await services.storedFactors.keys.remove(which)
    const details = { method: 'webauthn', reason: 'reset' }
    for (const { user } of removed)
      services.audit.record('factor.removed', { user, actor, details })
    const users = removed.map(({ user }) => user)
    await endWhatRests(services, actor, { changed: users, gone: users })
    return [...removed]
  },
})

export const storedOperations = [
  ...[listTotp, exportTotp, importTotp, generateTotp, deleteTotp],
  ...[listKeys, exportKeys, importKeys, deleteKeys],
] as const
