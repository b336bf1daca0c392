import { randomBytes } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import { OperatorError } from '../../../kernel/operator-error.ts'
import type { Sealer } from '../../../kernel/seal.ts'
import {
  type KeyRow,
  type KeyTables,
  MAX_CREDENTIALS,
  nameKey,
  placeOfKey,
} from '../methods/webauthn/tables.ts'
import type { ImportWish, KeyEntry, KeySummary, Put } from './entries.ts'
import { alreadyThere, boundedLocks, chunks, doesNotOpen } from './faults.ts'
import type { StoredDependencies } from './stored-totp.ts'

/** Which keys: one by its id, one of a user by its name, all of a user. Never all of all users. */
export interface KeyChoice {
  readonly user?: string | undefined
  /** base64url. */
  readonly keyId?: string | undefined
  readonly name?: string | undefined
}

/** Security keys and passkeys of the database, for operations with and without a server. */
export interface StoredKeys {
  /** Oldest first. @param user undefined: of all users */
  list(user: string | undefined): Promise<readonly KeySummary[]>
  /** Opened. @throws OperatorError for a key that does not open */
  entries(user: string | undefined): Promise<readonly KeyEntry[]>
  /**
   * All of them or none.
   * @throws OperatorError for a key that is there already, without `force`; and always for a key of another user, for a name
   * or a handle that is another key's
   */
  put(entries: readonly KeyEntry[], wish: ImportWish): Promise<Put>
  /** @throws OperatorError for a choice that names neither a key nor a user */
  remove(choice: KeyChoice): Promise<readonly KeySummary[]>
}

type Db = Kysely<KeyTables>

export function createStoredKeys({
  storage,
  sealer,
}: Pick<StoredDependencies, 'storage' | 'sealer'>): StoredKeys {
  const open = async (): Promise<Db> => (await storage.db()).$extendTables<KeyTables>()
  const rowsOf = async (user: string | undefined) => {
    const all = (await open())
      .selectFrom('webauthn_credentials')
      .selectAll()
      .orderBy('user_name')
      .orderBy('created_at')
      .orderBy('id')
    return (user === undefined ? all : all.where('user_name', '=', user)).execute()
  }
  return {
    list: async (user) => (await rowsOf(user)).map(summaryOf),
    async entries(user) {
      const rows = await rowsOf(user)
      if (rows.length === 0) return []
      const key = await sealer()
      const handles = await handlesOf(await open())
      return rows.map((row) => {
        const publicKey = key.open(row.public_key, placeOfKey(row))
        if (publicKey === undefined)
          throw doesNotOpen(`the key ${JSON.stringify(row.description)} of ${row.user_name}`)
        return {
          ...summaryOf(row),
          publicKey: publicKey.toString('base64url'),
          handle: handles.get(siteKey(row.user_name, row.rpid)) ?? null,
        }
      })
    },
    async put(entries, { force, dryRun }) {
      const key = await sealer()
      return storage
        .transaction(
          async (plain) => {
            const db = plain.$extendTables<KeyTables>()
            const there = await keysWithIds(db, entries)
            const replaced = refuseTaken(entries, there, force)
            // By id, so that names that two keys of the file have exchanged are free.
            for (const some of chunks(entries))
              await db
                .deleteFrom('webauthn_credentials')
                .where(
                  'kid',
                  'in',
                  some.map(({ keyId }) => keyId),
                )
                .execute()
            for (const entry of entries) await write(db, entry, key)
            const put: Put = {
              added: entries.length - replaced.length,
              replaced: replaced.length,
              usersReplaced: [...new Set(replaced.map(({ user }) => user))],
            }
            if (dryRun) throw new Looked(put)
            return put
          },
          { locks: locksOf(entries) },
        )
        .catch((error: unknown) => {
          if (error instanceof Looked) return error.put
          throw error
        })
    },
    async remove({ user, keyId, name }) {
      if (user === undefined && keyId === undefined)
        throw new OperatorError('say which keys: of which user, or by id')
      const all = (await open()).deleteFrom('webauthn_credentials').returningAll()
      const ofUser = user === undefined ? all : all.where('user_name', '=', user)
      const ofId = keyId === undefined ? ofUser : ofUser.where('kid', '=', keyId)
      const some = name === undefined ? ofId : ofId.where('description_key', '=', nameKey(name))
      return (await some.execute()).map(summaryOf)
    },
  }
}

/** Ends the transaction of an import that is only tried: everything was checked by the database, and is undone. */
class Looked extends Error {
  readonly put: Put
  constructor(put: Put) {
    super('tried')
    this.put = put
  }
}

/** Those of the store that registers keys (methods/webauthn/store.ts). */
const locksOf = (entries: readonly KeyEntry[]): readonly string[] =>
  boundedLocks(entries.flatMap(({ user, keyId }) => [`webauthn:${user}`, `webauthn-key:${keyId}`]))

const siteKey = (user: string, rpId: string): string => JSON.stringify([user, rpId])

async function handlesOf(db: Db): Promise<ReadonlyMap<string, string>> {
  const rows = await db.selectFrom('webauthn_users').selectAll().execute()
  return new Map(rows.map((row) => [siteKey(row.user_name, row.rpid), row.handle]))
}

async function keysWithIds(
  db: Db,
  entries: readonly KeyEntry[],
): Promise<ReadonlyMap<string, string>> {
  const found = new Map<string, string>()
  for (const some of chunks(entries)) {
    const rows = await db
      .selectFrom('webauthn_credentials')
      .select(['kid', 'user_name'])
      .where(
        'kid',
        'in',
        some.map(({ keyId }) => keyId),
      )
      .execute()
    for (const { kid, user_name: user } of rows) found.set(kid, user)
  }
  return found
}

/** @returns those that replace a key */
function refuseTaken(
  entries: readonly KeyEntry[],
  there: ReadonlyMap<string, string>,
  force: boolean,
): readonly KeyEntry[] {
  const taken = entries.filter(({ keyId }) => there.has(keyId))
  const foreign = taken.find(({ user, keyId }) => there.get(keyId) !== user)
  if (foreign !== undefined)
    throw new OperatorError(
      `the key ${JSON.stringify(foreign.name)} of ${foreign.user} belongs to ${there.get(foreign.keyId)} already`,
      'nothing was changed; two users cannot have one key',
    )
  if (taken.length > 0 && !force)
    throw alreadyThere(taken.map(({ user, name }) => `${user} has the key ${JSON.stringify(name)}`))
  return taken
}

async function write(db: Db, entry: KeyEntry, sealer: Sealer): Promise<void> {
  const { user, rpId, keyId, name, handle } = entry
  const own = await db
    .selectFrom('webauthn_credentials')
    .select('description_key')
    .where('user_name', '=', user)
    .execute()
  if (own.some(({ description_key: taken }) => taken === nameKey(name)))
    throw new OperatorError(
      `${user} has another key with the name ${JSON.stringify(name)}`,
      'nothing was changed; rename one of the two',
    )
  if (own.length >= MAX_CREDENTIALS)
    throw new OperatorError(
      `${user} would have more than ${MAX_CREDENTIALS} keys`,
      'nothing was changed',
    )
  await db.insertInto('webauthn_credentials').values(rowOf(entry, sealer)).execute()
  if (handle !== null) await keepHandle(db, { user, rpId, keyId, handle })
}

/**
 * What the key calls its user must be what the database calls this user: otherwise the key would be refused, as another
 * user's.
 */
async function keepHandle(
  db: Db,
  {
    user,
    rpId,
    keyId,
    handle,
  }: {
    readonly user: string
    readonly rpId: string
    readonly keyId: string
    readonly handle: string
  },
): Promise<void> {
  const others = await db
    .selectFrom('webauthn_credentials')
    .select('id')
    .where('user_name', '=', user)
    .where('rpid', '=', rpId)
    .where('kid', '!=', keyId)
    .execute()
  const { handle: kept } =
    (await db
      .selectFrom('webauthn_users')
      .select('handle')
      .where('user_name', '=', user)
      .where('rpid', '=', rpId)
      .executeTakeFirst()) ?? {}
  if (kept === handle) return
  if (kept !== undefined && others.length > 0)
    throw new OperatorError(
      `the keys that ${user} has at ${rpId} call the user by another handle than the file`,
      'nothing was changed; remove them first: `vestibule storage user webauthn delete`',
    )
  await db
    .deleteFrom('webauthn_users')
    .where('user_name', '=', user)
    .where('rpid', '=', rpId)
    .execute()
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto('webauthn_users')
    .values({ handle, user_name: user, rpid: rpId })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow()
  if (numInsertedOrUpdatedRows === 0n)
    throw new OperatorError(
      `the handle of ${user} at ${rpId} is that of another user`,
      'nothing was changed',
    )
}

const rowOf = (entry: KeyEntry, sealer: Sealer): KeyRow => {
  const names = { user_name: entry.user, rpid: entry.rpId, kid: entry.keyId }
  const publicKey = Buffer.from(entry.publicKey, 'base64url')
  return {
    id: randomBytes(12).toString('base64url'),
    ...names,
    description: entry.name,
    description_key: nameKey(entry.name),
    public_key: sealer.seal(publicKey, placeOfKey(names)),
    attestation_type: entry.attestation,
    aaguid: entry.aaguid,
    attachment: entry.attachment,
    transports: entry.transports.join(','),
    sign_count: entry.signCount,
    clone_warning: Number(entry.cloneWarning),
    discoverable: Number(entry.discoverable),
    verified: Number(entry.verified),
    backup_eligible: Number(entry.backupEligible),
    backup_state: Number(entry.backedUp),
    created_at: entry.createdAt,
    last_used_at: entry.lastUsedAt,
  }
}

const summaryOf = (row: Selectable<KeyRow>): KeySummary => ({
  user: row.user_name,
  rpId: row.rpid,
  keyId: row.kid,
  name: row.description,
  attestation: row.attestation_type,
  aaguid: row.aaguid,
  attachment: row.attachment,
  transports: row.transports === '' ? [] : row.transports.split(','),
  signCount: row.sign_count,
  cloneWarning: row.clone_warning !== 0,
  discoverable: row.discoverable !== 0,
  verified: row.verified !== 0,
  backupEligible: row.backup_eligible !== 0,
  backedUp: row.backup_state !== 0,
  createdAt: row.created_at,
  lastUsedAt: row.last_used_at,
})
