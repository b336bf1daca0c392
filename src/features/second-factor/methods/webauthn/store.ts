import { randomBytes } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import type { Clock, EpochMs } from '../../../../kernel/clock.ts'
import { AppError } from '../../../../kernel/errors.ts'
import type { Sealer } from '../../../../kernel/seal.ts'
import type { Storage } from '../../../../storage/index.ts'
import type { Credential, NewCredential, StoredKey } from './credential.ts'
import { type KeyRow, type KeyTables, MAX_CREDENTIALS, nameKey, placeOfKey } from './tables.ts'

type Db = Kysely<KeyTables>

/** Every call rejects with AppError STORE_UNAVAILABLE when the database fails. */
export interface CredentialStore {
  /** What keys of this portal call the user, base64url; made when it is first asked for. */
  handleOf(user: string, rpId: string): Promise<string>
  /** Oldest first. @param rpId undefined: of all portals */
  list(user: string, rpId?: string): Promise<readonly Credential[]>
  /** @param keyId the authenticator's id of it */
  find(keyId: string, rpId: string): Promise<StoredKey | undefined>
  add(credential: NewCredential): Promise<'added' | 'name-taken' | 'key-taken' | 'too-many'>
  isNameTaken(user: string, name: string): Promise<boolean>
  rename(user: string, id: string, name: string): Promise<'renamed' | 'unknown' | 'name-taken'>
  remove(user: string, id: string): Promise<Credential | undefined>
  /** @returns how many */
  removeAll(user: string): Promise<number>
  /** Keeps what a key called its user, where no other handle of the user is known at this portal. */
  keepHandle(user: string, rpId: string, handle: string): Promise<void>
  /**
   * The key has signed. Two answers of one key at the same moment: one of them counts.
   * @returns false, and the key is marked, when it did not count on: there may be a copy. Keys that always say 0 do not count.
   */
  used(
    id: string,
    answer: { readonly signCount: number; readonly backedUp: boolean },
  ): Promise<boolean>
}

export function createCredentialStore({
  storage,
  sealer,
  clock,
}: {
  readonly storage: Pick<Storage, 'db' | 'transaction'>
  readonly sealer: Sealer
  readonly clock: Clock
}): CredentialStore {
  const open = async (): Promise<Db> => (await storage.db()).$extendTables<KeyTables>()
  const change = <T>(locks: readonly string[], work: (db: Db) => Promise<T>): Promise<T> =>
    storage.transaction((db) => work(db.$extendTables<KeyTables>()), { locks })
  const ofUser = (user: string) => `webauthn:${user}`

  return {
    async handleOf(user, rpId) {
      const db = await open()
      const handle = randomBytes(32).toString('base64url')
      await db
        .insertInto('webauthn_users')
        .values({ handle, user_name: user, rpid: rpId })
        .onConflict((conflict) => conflict.columns(['user_name', 'rpid']).doNothing())
        .execute()
      return (await handleIn(db, user, rpId)) ?? handle
    },
    async list(user, rpId) {
      const all = (await open())
        .selectFrom('webauthn_credentials')
        .selectAll()
        .where('user_name', '=', user)
        .orderBy('created_at')
        .orderBy('id')
      const rows = await (rpId === undefined ? all : all.where('rpid', '=', rpId)).execute()
      return rows.map(toCredential)
    },
    find: async (keyId, rpId) => findIn(await open(), sealer, keyId, rpId),
    add: (credential) =>
      change([ofUser(credential.user), `webauthn-key:${credential.keyId}`], (db) =>
        addIn(db, credential, { sealer, now: clock.now() }),
      ),
    isNameTaken: async (user, name) => isTaken(await open(), user, name),
    rename: (user, id, name) =>
      change([ofUser(user)], async (db) => {
        if (await isTaken(db, user, name, id)) return 'name-taken'
        const { numUpdatedRows } = await db
          .updateTable('webauthn_credentials')
          .set({ description: name, description_key: nameKey(name) })
          .where('id', '=', id)
          .where('user_name', '=', user)
          .executeTakeFirst()
        return numUpdatedRows > 0n ? 'renamed' : 'unknown'
      }),
    async remove(user, id) {
      const row = await (await open())
        .deleteFrom('webauthn_credentials')
        .where('id', '=', id)
        .where('user_name', '=', user)
        .returningAll()
        .executeTakeFirst()
      return row && toCredential(row)
    },
    removeAll: removeStoredKeys(storage),
    async keepHandle(user, rpId, handle) {
      await (await open())
        .insertInto('webauthn_users')
        .values({ handle, user_name: user, rpid: rpId })
        .onConflict((conflict) => conflict.doNothing())
        .execute()
    },
    async used(id, answer) {
      return countOn(await open(), id, { ...answer, now: clock.now() })
    },
  }
}

async function findIn(
  db: Db,
  sealer: Sealer,
  keyId: string,
  rpId: string,
): ReturnType<CredentialStore['find']> {
  const row = await db
    .selectFrom('webauthn_credentials')
    .selectAll()
    .where('kid', '=', keyId)
    .where('rpid', '=', rpId)
    .executeTakeFirst()
  if (row === undefined) return undefined
  const handle = await handleIn(db, row.user_name, rpId)
  const publicKey = sealer.open(row.public_key, placeOfKey(row))
  if (publicKey === undefined)
    throw new AppError('STORE_UNAVAILABLE', {
      reason:
        'the public key of a credential could not be opened: storage.encryption_key is another one, or the row was changed',
      credential: row.id,
    })
  return { credential: toCredential(row), publicKey, handle }
}

/** Removes the keys of a user and what they call the user, also while no server runs: it opens nothing that is sealed. @returns how many */
export function removeStoredKeys(storage: Pick<Storage, 'db'>): (user: string) => Promise<number> {
  return async (user) => {
    const db = (await storage.db()).$extendTables<KeyTables>()
    const { numDeletedRows } = await db
      .deleteFrom('webauthn_credentials')
      .where('user_name', '=', user)
      .executeTakeFirst()
    // Another person of that name is another user to every authenticator.
    await db.deleteFrom('webauthn_users').where('user_name', '=', user).execute()
    return Number(numDeletedRows)
  }
}

const handleIn = async (db: Db, user: string, rpId: string): Promise<string | undefined> =>
  (
    await db
      .selectFrom('webauthn_users')
      .select('handle')
      .where('user_name', '=', user)
      .where('rpid', '=', rpId)
      .executeTakeFirst()
  )?.handle

async function isTaken(db: Db, user: string, name: string, except?: string): Promise<boolean> {
  const row = await db
    .selectFrom('webauthn_credentials')
    .select('id')
    .where('user_name', '=', user)
    .where('description_key', '=', nameKey(name))
    .executeTakeFirst()
  return row !== undefined && row.id !== except
}

async function addIn(
  db: Db,
  credential: NewCredential,
  { sealer, now }: { readonly sealer: Sealer; readonly now: number },
): Promise<'added' | 'name-taken' | 'key-taken' | 'too-many'> {
  const { user, name, keyId } = credential
  if (await isTaken(db, user, name)) return 'name-taken'
  const others = await db
    .selectFrom('webauthn_credentials')
    .select(['kid', 'user_name'])
    .where((where) => where.or([where('kid', '=', keyId), where('user_name', '=', user)]))
    .limit(MAX_CREDENTIALS + 1)
    .execute()
  if (others.some(({ kid }) => kid === keyId)) return 'key-taken'
  if (others.length >= MAX_CREDENTIALS) return 'too-many'
  const names = { user_name: user, rpid: credential.rpId, kid: keyId }
  await db
    .insertInto('webauthn_credentials')
    .values({
      id: randomBytes(12).toString('base64url'),
      ...names,
      description: name,
      description_key: nameKey(name),
      public_key: sealer.seal(credential.publicKey, placeOfKey(names)),
      attestation_type: credential.attestation,
      aaguid: credential.aaguid,
      attachment: credential.attachment,
      transports: credential.transports.join(','),
      sign_count: credential.signCount,
      clone_warning: 0,
      discoverable: Number(credential.discoverable),
      verified: Number(credential.verified),
      backup_eligible: Number(credential.backupEligible),
      backup_state: Number(credential.backedUp),
      created_at: now,
      last_used_at: null,
    })
    .execute()
  return 'added'
}

async function countOn(
  db: Db,
  id: string,
  {
    signCount,
    backedUp,
    now,
  }: { readonly signCount: number; readonly backedUp: boolean; readonly now: number },
): Promise<boolean> {
  const row = db.updateTable('webauthn_credentials').where('id', '=', id)
  const { numUpdatedRows } = await row
    .set({ sign_count: signCount, backup_state: Number(backedUp), last_used_at: now })
    .where('clone_warning', '=', 0)
    .where((where) =>
      signCount === 0 ? where('sign_count', '=', 0) : where('sign_count', '<', signCount),
    )
    .executeTakeFirst()
  if (numUpdatedRows > 0n) return true
  await row.set({ clone_warning: 1 }).execute()
  return false
}

const toCredential = (row: Selectable<KeyRow>): Credential => ({
  id: row.id,
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
  // Written as times; a column has no brand.
  createdAt: row.created_at as EpochMs,
  lastUsedAt: row.last_used_at === null ? undefined : (row.last_used_at as EpochMs),
})
