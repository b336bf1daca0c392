/** Authelia's SQLite database, as its schemas 12 to 26 (4.38 and later) have it → what is taken over of it. */
import { isIP } from 'node:net'
import { basename } from 'node:path'
import { type OpaqueIdentifier, readIdentifier } from '../features/identifiers/index.ts'
import {
  isOfferedKey,
  type KeyEntry,
  keyEntry,
  METHOD_NAMES,
  type MethodName,
  type TotpEntry,
  totpEntry,
} from '../features/second-factor/index.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import type { Secret } from '../kernel/secret.ts'
import { type AutheliaSealer, autheliaSealer } from './authelia-seal.ts'
import { type ForeignDatabase, type ForeignRow, withForeignDatabase } from './foreign-database.ts'
import type { ImportFault } from './taken.ts'

/** WebAuthn keys have their table since 12. */
const OLDEST = 12
const NEWEST = 26

export interface AutheliaBan {
  readonly kind: 'user' | 'address'
  readonly name: string
  readonly reason: string
  /** Milliseconds since 1970; undefined: until it is lifted. */
  readonly expiresAt: number | undefined
}

export interface AutheliaDatabase {
  readonly totp: readonly TotpEntry[]
  readonly keys: readonly KeyEntry[]
  readonly identifiers: readonly OpaqueIdentifier[]
  readonly preferences: ReadonlyMap<string, MethodName>
  readonly bans: readonly AutheliaBan[]
  /** What is left behind, a sentence each. */
  readonly left: readonly ImportFault[]
}

/**
 * @param now what ended before is left behind
 * @throws OperatorError for a file that is not Authelia's, a schema that is not known, a key that is not the database's
 */
export async function readAutheliaDatabase(
  path: string,
  secret: Secret | undefined,
  now: number,
): Promise<AutheliaDatabase> {
  const read = withForeignDatabase(path, (database) => {
    const schema = schemaOf(database, path)
    const sealer = openSealer(database, { path, schema, secret })
    return {
      totp: totpIn(database, sealer),
      keys: keysIn(database, sealer),
      identifiers: identifiersIn(database),
      preferences: preferencesIn(database),
      bans: bansIn(database, now),
      rest: restIn(database),
    }
  })
  const keys = await offeredKeys(read.keys.taken)
  const source = basename(path)
  const left = [
    ...[read.totp.left, read.keys.left, keys.left, read.identifiers.left, read.preferences.left],
    ...[read.bans.left, read.rest],
  ].flat()
  return {
    totp: read.totp.taken,
    keys: keys.taken,
    identifiers: read.identifiers.taken,
    preferences: new Map(read.preferences.taken),
    bans: read.bans.taken,
    left: left.map((message) => ({ source, message })),
  }
}

interface Part<T> {
  readonly taken: readonly T[]
  readonly left: readonly string[]
}

function schemaOf(database: ForeignDatabase, path: string): number {
  if (!database.has('migrations') || !database.has('encryption'))
    throw new OperatorError(
      `${path} is not Authelia’s database`,
      'see storage.local.path in its configuration',
    )
  const [last] = database.rows('select version_after from migrations order by id desc limit 1')
  const schema = Number(last?.['version_after'])
  if (schema >= OLDEST && schema <= NEWEST) return schema
  throw new OperatorError(
    `${path} has the schema ${schema} of Authelia; known are ${OLDEST} to ${NEWEST}`,
    schema < OLDEST
      ? 'start Authelia 4.38 or later with it once'
      : 'import from an older version, or take factors over by `authelia storage user totp export`',
  )
}

function openSealer(
  database: ForeignDatabase,
  given: { readonly path: string; readonly schema: number; readonly secret: Secret | undefined },
): AutheliaSealer {
  const { path, schema, secret } = given
  if (secret === undefined)
    throw new OperatorError(
      `the key of ${path} is missing: the configuration has no storage.encryption_key`,
      'give the file that holds it: --encryption-key-file',
    )
  const sealer = autheliaSealer(secret, schema)
  const [check] = database.rows("select value from encryption where name = 'check'")
  const value = check?.['value']
  const place = { table: 'encryption', column: 'value', row: 'check' }
  if (value instanceof Uint8Array && sealer.open(value, place) !== undefined) return sealer
  throw new OperatorError(
    `storage.encryption_key is not the key of ${path}`,
    'give the file that holds the right one: --encryption-key-file',
  )
}

function totpIn(database: ForeignDatabase, sealer: AutheliaSealer): Part<TotpEntry> {
  return each(database.rows('select * from totp_configurations order by username'), (row) => {
    const user = text(row['username'])
    const what = `the one-time codes of ${user}`
    const place = { table: 'totp_configurations', column: 'secret', row: user }
    const secret = opened(sealer, row['secret'], place)
    if (secret === undefined) return { left: `${what}: the secret does not open` }
    const read = totpEntry.safeParse({
      user,
      issuer: text(row['issuer']) || 'Authelia',
      algorithm: text(row['algorithm']),
      digits: row['digits'],
      period: row['period'],
      secret: secret.toString('latin1'),
      createdAt: timeOf(row['created_at']) ?? 0,
      lastUsedAt: timeOf(row['last_used_at']) ?? null,
    })
    return read.success ? { taken: read.data } : { left: `${what}: ${why(read.error.issues)}` }
  })
}

function keysIn(database: ForeignDatabase, sealer: AutheliaSealer): Part<KeyEntry> {
  const handles = new Map(
    database
      .rows('select rpid, username, userid from webauthn_users')
      .map(({ rpid, username, userid }) => [JSON.stringify([rpid, username]), text(userid)]),
  )
  const names = new Map<string, Set<string>>()
  const rows = database.rows('select * from webauthn_credentials order by username, id')
  return each(rows, (row) => {
    const [user, rpId, kid] = [text(row['username']), text(row['rpid']), text(row['kid'])]
    const what = `the key ${JSON.stringify(row['description'])} of ${user}`
    if (!/^[a-z0-9.-]+$/.test(rpId))
      return { left: `${what}: it was registered with the former U2F interface; register it again` }
    const place = { table: 'webauthn_credentials', column: 'public_key', row: kid, issuer: rpId }
    const publicKey = opened(sealer, row['public_key'], place)
    if (publicKey === undefined) return { left: `${what}: the public key does not open` }
    const handle = handles.get(JSON.stringify([row['rpid'], row['username']]))
    const read = keyEntry.safeParse({
      ...{ user, rpId, keyId: Buffer.from(kid, 'base64').toString('base64url') },
      name: freeName(names, user, text(row['description'])),
      // Older schemas have the format in the place of the type.
      attestation: text(row['attestation_format']) || text(row['attestation_type']),
      aaguid: text(row['aaguid']).toLowerCase() || '00000000-0000-0000-0000-000000000000',
      attachment: text(row['attachment']),
      transports: text(row['transport']).split(',').filter(Boolean),
      signCount: Number(row['sign_count'] ?? 0),
      cloneWarning: isSet(row['clone_warning']),
      discoverable: isSet(row['discoverable']),
      verified: isSet(row['verified']),
      backupEligible: isSet(row['backup_eligible']),
      backedUp: isSet(row['backup_state']),
      createdAt: timeOf(row['created_at']) ?? 0,
      lastUsedAt: timeOf(row['last_used_at']) ?? null,
      publicKey: publicKey.toString('base64url'),
      handle: handle === undefined ? null : Buffer.from(handle).toString('base64url'),
    })
    return read.success ? { taken: read.data } : { left: `${what}: ${why(read.error.issues)}` }
  })
}

/** Here names are a user's, whatever the portal, and in any case; there they are a portal's. */
function freeName(names: Map<string, Set<string>>, user: string, wish: string): string {
  const taken = names.get(user) ?? new Set()
  names.set(user, taken)
  let name = wish.trim().slice(0, 60)
  for (let i = 2; taken.has(name.normalize('NFKC').toLowerCase()); i++)
    name = `${wish.trim().slice(0, 56)} ${i}`
  taken.add(name.normalize('NFKC').toLowerCase())
  return name
}

async function offeredKeys(keys: readonly KeyEntry[]): Promise<Part<KeyEntry>> {
  const taken: KeyEntry[] = []
  const left: string[] = []
  for (const key of keys)
    if (await isOfferedKey(Buffer.from(key.publicKey, 'base64url'))) taken.push(key)
    else
      left.push(
        `the key ${JSON.stringify(key.name)} of ${key.user}: is no public key of EdDSA, ES256 or RS256`,
      )
  return { taken, left }
}

function identifiersIn(database: ForeignDatabase): Part<OpaqueIdentifier> {
  if (!database.has('user_opaque_identifier')) return { taken: [], left: [] }
  const rows = database.rows('select * from user_opaque_identifier order by id')
  return each(rows, (row) => {
    const read = readIdentifier(row)
    const what = `the opaque identifier of ${text(row['username'])} for ${text(row['service'])}`
    return read === undefined
      ? { left: `${what}: is of no known service or form` }
      : { taken: read }
  })
}

function preferencesIn(database: ForeignDatabase): Part<readonly [string, MethodName]> {
  const rows = database.rows('select username, second_factor_method from user_preferences')
  return each(rows, (row) => {
    const user = text(row['username'])
    const method = METHOD_NAMES.find((name) => name === row['second_factor_method'])
    return method === undefined
      ? {
          left: `the preferred method of ${user}: ${text(row['second_factor_method'])} is not offered here`,
        }
      : { taken: [user, method] }
  })
}

function bansIn(database: ForeignDatabase, now: number): Part<AutheliaBan> {
  const bans: AutheliaBan[] = []
  const left: string[] = []
  for (const [table, kind, column] of [
    ['banned_user', 'user', 'username'],
    ['banned_ip', 'address', 'ip'],
  ] as const) {
    // Since schema 20.
    if (!database.has(table)) continue
    for (const row of database.rows(`select * from ${table} where not revoked order by id`)) {
      const expiresAt = timeOf(row['expires'])
      if (timeOf(row['expired']) !== undefined || (expiresAt ?? now + 1) <= now) continue
      const name = text(row[column])
      if (kind === 'address' && isIP(name) === 0) left.push(`the ban of ${name}: is no address`)
      else bans.push({ kind, name, reason: text(row['reason']), expiresAt })
    }
  }
  return { taken: bans, left }
}

/** Tables of what has no counterpart, with the words for it. */
const NOT_TAKEN = [
  ['duo_devices', 'devices of Duo'],
  ['oauth2_consent_preconfiguration', 'remembered consents of OpenID Connect'],
  ['oauth2_refresh_token_session', 'refresh tokens of OpenID Connect'],
] as const

const restIn = (database: ForeignDatabase): readonly string[] =>
  NOT_TAKEN.flatMap(([table, what]) => {
    if (!database.has(table)) return []
    const [row] = database.rows(`select count(*) as number from ${table}`)
    const number = Number(row?.['number'] ?? 0)
    return number === 0 ? [] : [`${number} ${what}`]
  })

function each<T>(
  rows: readonly ForeignRow[],
  read: (row: ForeignRow) => { readonly taken: T } | { readonly left: string },
): Part<T> {
  const taken: T[] = []
  const left: string[] = []
  for (const row of rows) {
    const found = read(row)
    if ('taken' in found) taken.push(found.taken)
    else left.push(found.left)
  }
  return { taken, left }
}

const opened = (
  sealer: AutheliaSealer,
  value: unknown,
  place: Parameters<AutheliaSealer['open']>[1],
): Buffer | undefined => (value instanceof Uint8Array ? sealer.open(value, place) : undefined)

const why = (
  issues: readonly { readonly path: readonly PropertyKey[]; readonly message: string }[],
) => issues.map(({ path, message }) => `${path.join('.')} ${message}`).join(', ')

const text = (value: unknown): string => (typeof value === 'string' ? value : '')

/** Go's driver writes booleans as numbers. */
const isSet = (value: unknown): boolean => value === 1 || value === 'true'

const TIME = /^(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d(?:\.\d+)?) ?(Z|[+-]\d\d:?\d\d)?/

/** `2026-01-31 12:00:00.123456789+01:00`, or without an offset: UTC. */
function timeOf(value: unknown): number | undefined {
  const [, day, clock = '', offset = 'Z'] = TIME.exec(text(value)) ?? []
  if (day === undefined) return undefined
  const zone = /^[+-]\d{4}$/.test(offset) ? `${offset.slice(0, 3)}:${offset.slice(3)}` : offset
  const time = Math.trunc(Date.parse(`${day}T${clock.slice(0, 12)}${zone}`))
  return Number.isFinite(time) && time >= 0 ? time : undefined
}
