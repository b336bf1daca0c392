/**
 * Authelia's files of second factors (`storage user totp export`, `storage user webauthn export`): YAML with one list each.
 *
 * A TOTP secret stands there as the base64 of its base32 text; ids and public keys of WebAuthn as padded base64; times as
 * RFC 3339. `user_handle` is ours: Authelia's files do not say what a key calls its user.
 */
import type { Document, Node } from 'yaml'
import { z } from 'zod'
import { CredentialName } from '../methods/webauthn/credential.ts'
import {
  issuerName,
  type KeyEntry,
  secretText,
  type TotpEntry,
  totpAlgorithm,
  totpDigits,
  totpPeriod,
  userName,
} from './entries.ts'

export interface FileFault {
  /** From 1. */
  readonly line: number
  readonly message: string
}
export type FactorFile<T> =
  | { readonly ok: true; readonly entries: readonly T[] }
  | { readonly ok: false; readonly faults: readonly FileFault[] }

/** More are a wrong file. */
const MAX_FAULTS = 50

/** Go writes nanoseconds, and the offset of the server's zone. */
const moment = z.iso
  .datetime({ offset: true, error: 'is no time such as 2026-01-31T12:00:00Z' })
  .transform((text) => Math.max(0, Math.trunc(Date.parse(text))))
const lastUse = moment.nullish().transform((time) => time ?? null)

const BASE64 = /^[A-Za-z0-9+/]+={0,2}$/
const base64 = (most: number) =>
  z
    .string()
    .max(most)
    .regex(BASE64, 'is no base64')
    .transform((text) => Buffer.from(text, 'base64'))
const base64url = (most: number) => base64(most).transform((bytes) => bytes.toString('base64url'))

const totpRecord = z
  .object({
    created_at: moment,
    last_used_at: lastUse,
    username: userName,
    issuer: issuerName,
    algorithm: totpAlgorithm,
    digits: totpDigits,
    period: totpPeriod,
    secret: base64(512)
      .transform((bytes) => bytes.toString('latin1'))
      .pipe(secretText),
  })
  .transform(
    ({ created_at: createdAt, last_used_at: lastUsedAt, username: user, ...rest }): TotpEntry => ({
      ...rest,
      ...{ user, createdAt, lastUsedAt },
    }),
  )

const NO_MODEL = '00000000-0000-0000-0000-000000000000'

const keyRecord = z
  .object({
    created_at: moment,
    last_used_at: lastUse,
    rpid: z
      .string()
      .min(1)
      .max(255)
      .regex(
        /^[a-z0-9.-]+$/,
        'is no host name in small letters (a key of the former U2F interface has an address, and works at no other server)',
      ),
    username: userName,
    description: CredentialName,
    kid: base64url(1400),
    aaguid: z.guid('is no AAGUID').toLowerCase().nullish(),
    attestation_type: z.string().max(64).default(''),
    attestation_format: z.string().max(64).default(''),
    attachment: z.string().max(64).default(''),
    transports: z
      .array(z.string().regex(/^[a-z-]{1,32}$/))
      .max(16)
      .nullish(),
    sign_count: z.int().min(0).max(0xffff_ffff),
    clone_warning: z.boolean().default(false),
    discoverable: z.boolean().default(false),
    verified: z.boolean().default(false),
    backup_eligible: z.boolean().default(false),
    backup_state: z.boolean().default(false),
    public_key: base64url(11_000),
    user_handle: z.base64url().min(1).max(128).nullish(),
  })
  .transform(
    (given): KeyEntry => ({
      user: given.username,
      rpId: given.rpid,
      keyId: given.kid,
      name: given.description,
      // Older files have the format in the place of the type.
      attestation: given.attestation_format || given.attestation_type,
      aaguid: given.aaguid ?? NO_MODEL,
      attachment: given.attachment,
      transports: given.transports ?? [],
      signCount: given.sign_count,
      cloneWarning: given.clone_warning,
      discoverable: given.discoverable,
      verified: given.verified,
      backupEligible: given.backup_eligible,
      backedUp: given.backup_state,
      createdAt: given.created_at,
      lastUsedAt: given.last_used_at,
      publicKey: given.public_key,
      handle: given.user_handle ?? null,
    }),
  )

const totpFile = z.object({ totp_configurations: z.array(totpRecord) })
const keyFile = z.object({ webauthn_credentials: z.array(keyRecord) })

export async function readTotpFile(text: string): Promise<FactorFile<TotpEntry>> {
  const read = await readYaml(text, totpFile)
  if (!read.ok) return read
  const entries = read.value.totp_configurations
  const faults = twice(entries, ({ user }) => `the user ${user}`).map((fault) =>
    read.at(['totp_configurations', fault.index, 'username'], fault.message),
  )
  return faults.length > 0 ? { ok: false, faults } : { ok: true, entries }
}

/** @param isKey whether a COSE_Key is one that could be registered here */
export async function readKeyFile(
  text: string,
  isKey: (publicKey: Uint8Array) => Promise<boolean>,
): Promise<FactorFile<KeyEntry>> {
  const read = await readYaml(text, keyFile)
  if (!read.ok) return read
  const entries = read.value.webauthn_credentials
  const at = (index: number, key: string, message: string) =>
    read.at(['webauthn_credentials', index, key], message)
  const faults = [
    ...twice(entries, ({ keyId }) => `the key ${keyId}`).map(({ index, message }) =>
      at(index, 'kid', message),
    ),
    ...twice(
      entries,
      ({ user, name }) => `${user}’s name ${JSON.stringify(name.toLowerCase())}`,
    ).map(({ index, message }) => at(index, 'description', message)),
  ]
  for (const [index, { publicKey }] of entries.entries())
    if (!(await isKey(Buffer.from(publicKey, 'base64url'))))
      faults.push(at(index, 'public_key', 'is no public key of EdDSA, ES256 or RS256'))
  faults.sort((a, b) => a.line - b.line)
  return faults.length > 0 ? { ok: false, faults } : { ok: true, entries }
}

function twice<T>(
  entries: readonly T[],
  nameOf: (entry: T) => string,
): { readonly index: number; readonly message: string }[] {
  const seen = new Set<string>()
  return entries.flatMap((entry, index) => {
    const name = nameOf(entry)
    if (seen.has(name)) return [{ index, message: `${name} is in the file twice` }]
    seen.add(name)
    return []
  })
}

type Read<T> =
  | { readonly ok: false; readonly faults: readonly FileFault[] }
  | {
      readonly ok: true
      readonly value: T
      at(path: readonly PropertyKey[], message: string): FileFault
    }

async function readYaml<T>(text: string, shape: z.ZodType<T>): Promise<Read<T>> {
  // Here: a server that starts reads no such file, and does without the parser.
  const { syntaxFault } = await import('../../../config/yaml-faults.ts')
  const yaml = await import('yaml')
  const { isAlias, isNode, LineCounter, parseDocument } = yaml
  const lines = new LineCounter()
  const document = parseDocument(text, { lineCounter: lines })
  const lineOf = (offset: number): number => Math.max(1, lines.linePos(offset).line)
  const syntax = syntaxFault(document, text)
  if (syntax !== undefined)
    return { ok: false, faults: [{ line: lineOf(syntax.offset), message: syntax.message }] }
  const aliases: FileFault[] = []
  yaml.visit(document, {
    Node(_, node) {
      if (isAlias(node))
        aliases.push({ line: lineOf(node.range?.[0] ?? 0), message: 'is an alias (*)' })
    },
  })
  if (aliases.length > 0) return { ok: false, faults: aliases.slice(0, MAX_FAULTS) }
  const at = (path: readonly PropertyKey[], message: string): FileFault => {
    const node = nearest(document, path, isNode)
    const name = path.map(String).join('.')
    return { line: lineOf(node?.range?.[0] ?? 0), message: name ? `${name}: ${message}` : message }
  }
  const read = shape.safeParse(document.toJS())
  if (read.success) return { ok: true, value: read.data, at }
  const faults = read.error.issues.map(({ path, message }) => at(path, message))
  faults.sort((a, b) => a.line - b.line)
  return { ok: false, faults: faults.slice(0, MAX_FAULTS) }
}

/** What stands at this place, or the innermost thing around it. */
function nearest(
  document: Document,
  path: readonly PropertyKey[],
  isNode: (node: unknown) => node is Node,
): Node | undefined {
  for (let length = path.length; length > 0; length--) {
    const node = document.getIn(path.slice(0, length), true)
    if (isNode(node)) return node
  }
  return undefined
}

const rfc3339 = (time: number): string => new Date(time).toISOString()

export async function totpFileText(entries: readonly TotpEntry[]): Promise<string> {
  const { stringify } = await import('yaml')
  return stringify({
    totp_configurations: entries.map((entry) => ({
      created_at: rfc3339(entry.createdAt),
      last_used_at: entry.lastUsedAt === null ? null : rfc3339(entry.lastUsedAt),
      username: entry.user,
      issuer: entry.issuer,
      algorithm: entry.algorithm,
      digits: entry.digits,
      period: entry.period,
      secret: Buffer.from(entry.secret).toString('base64'),
    })),
  })
}

export async function keyFileText(entries: readonly KeyEntry[]): Promise<string> {
  const { stringify } = await import('yaml')
  const padded = (text: string) => Buffer.from(text, 'base64url').toString('base64')
  return stringify(
    {
      webauthn_credentials: entries.map((entry) => ({
        created_at: rfc3339(entry.createdAt),
        ...(entry.lastUsedAt !== null && { last_used_at: rfc3339(entry.lastUsedAt) }),
        rpid: entry.rpId,
        username: entry.user,
        description: entry.name,
        kid: padded(entry.keyId),
        aaguid: entry.aaguid,
        attestation_type: entry.attestation,
        attestation_format: entry.attestation,
        attachment: entry.attachment,
        transports: entry.transports,
        sign_count: entry.signCount,
        clone_warning: entry.cloneWarning,
        legacy: false,
        discoverable: entry.discoverable,
        present: true,
        verified: entry.verified,
        backup_eligible: entry.backupEligible,
        backup_state: entry.backedUp,
        public_key: padded(entry.publicKey),
        ...(entry.handle !== null && { user_handle: entry.handle }),
      })),
    },
    // A public key stays on its line.
    { lineWidth: 0 },
  )
}

/** Authelia's columns. */
export function totpCsv(entries: readonly TotpEntry[]): string {
  const rows = entries.map(({ issuer, user, algorithm, digits, period, secret }) =>
    [issuer, user, algorithm, digits, period, secret].map((cell) => csvCell(String(cell))),
  )
  const head = ['issuer', 'username', 'algorithm', 'digits', 'period', 'secret']
  return `${[head, ...rows].map((row) => row.join(',')).join('\n')}\n`
}

/** RFC 4180. */
const csvCell = (text: string): string =>
  /[",\n\r]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text
