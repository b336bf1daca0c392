import { createHash, randomBytes } from 'node:crypto'
import type { Kysely, Selectable } from 'kysely'
import type { EpochMs } from '../../kernel/clock.ts'
import type { Storage } from '../../storage/index.ts'

// An alias, not an interface: Kysely wants what has an index signature.
type DeviceRow = {
  id: string
  token_hash: string
  user_name: string
  address: string
  user_agent: string
  created_at: number
  last_seen: number
  expires_at: number
}
type Tables = { known_devices: DeviceRow }

/** A browser that a user has fully signed in with. */
export interface KnownDevice {
  readonly id: string
  /** Canonical. */
  readonly user: string
  /** Of the last sign-in. */
  readonly address: string
  readonly userAgent: string
  readonly createdAt: EpochMs
  readonly lastSeen: EpochMs
  readonly expiresAt: EpochMs
}

export type NewDevice = Omit<KnownDevice, 'id' | 'createdAt'>

export interface DeviceStore {
  /** Those that are known by one of these tokens, and not over. */
  recognise(tokens: readonly string[], now: EpochMs): Promise<readonly KnownDevice[]>
  /**
   * Makes the browser of the old tokens known by the new one and by no other: as this device of this user, and as the
   * device of every other user who has signed in with it.
   * @returns whether it was this user's before
   */
  remember(
    device: NewDevice,
    token: string,
    old: readonly string[],
  ): Promise<{ readonly id: string; readonly isNew: boolean }>
  /** Newest first. @param user undefined: of all users */
  list(user: string | undefined, now: EpochMs, limit: number): Promise<readonly KnownDevice[]>
  /** @param by.user of this user only. @returns what was removed */
  remove(by: {
    readonly id?: string
    readonly user?: string
  }): Promise<readonly Pick<KnownDevice, 'id' | 'user'>[]>
  sweep(now: EpochMs, limit: number): Promise<number>
}

/** A person has no more browsers; past it those go that were not used for longest. */
const MAX_DEVICES = 100
/** Devices of one request. A person who plants all of their own leaves room for those of others. */
const MAX_RECOGNISED = 1000

export function createDeviceStore(storage: Storage): DeviceStore {
  const open = async () => (await storage.db()).$extendTables<Tables>()
  return {
    async recognise(tokens, now) {
      if (tokens.length === 0) return []
      const rows = await (await open())
        .selectFrom('known_devices')
        .selectAll()
        .where('token_hash', 'in', tokens.map(hashOf))
        .where('expires_at', '>', now)
        .limit(MAX_RECOGNISED)
        .execute()
      return rows.map(toDevice)
    },
    remember: (device, token, old) =>
      storage.transaction(
        (db) => rememberIn(db.$extendTables<Tables>(), device, hashOf(token), old.map(hashOf)),
        { locks: [`devices:${device.user}`] },
      ),
    async list(user, now, limit) {
      const all = (await open())
        .selectFrom('known_devices')
        .selectAll()
        .where('expires_at', '>', now)
        .orderBy('last_seen', 'desc')
        .orderBy('id')
        .limit(limit)
      const rows = await (user === undefined ? all : all.where('user_name', '=', user)).execute()
      return rows.map(toDevice)
    },
    async remove({ id, user }) {
      let query = (await open()).deleteFrom('known_devices')
      if (id === undefined && user === undefined) return []
      if (id !== undefined) query = query.where('id', '=', id)
      if (user !== undefined) query = query.where('user_name', '=', user)
      const rows = await query.returning(['id', 'user_name']).execute()
      return rows.map(({ id, user_name: name }) => ({ id, user: name }))
    },
    async sweep(now, limit) {
      const gone = await (await open())
        .deleteFrom('known_devices')
        .where('id', 'in', (query) =>
          query
            .selectFrom('known_devices')
            .select('id')
            .where('expires_at', '<=', now)
            .limit(limit),
        )
        .executeTakeFirst()
      return Number(gone.numDeletedRows)
    },
  }
}

/** @param known hashes of the old tokens */
async function rememberIn(
  db: Kysely<Tables>,
  device: NewDevice,
  hash: string,
  known: readonly string[],
): Promise<{ readonly id: string; readonly isNew: boolean }> {
  const row = {
    token_hash: hash,
    address: device.address,
    user_agent: device.userAgent,
    last_seen: device.lastSeen,
    expires_at: device.expiresAt,
  }
  const own = await ownDevice(db, device, known)
  const id = own ?? randomBytes(12).toString('base64url')
  if (known.length > 0)
    await db
      .updateTable('known_devices')
      .set({ token_hash: hash })
      .where('token_hash', 'in', known)
      .where('user_name', '!=', device.user)
      .execute()
  if (own !== undefined) {
    await db
      .deleteFrom('known_devices')
      .where('token_hash', 'in', known)
      .where('user_name', '=', device.user)
      .where('id', '!=', id)
      .execute()
    await db.updateTable('known_devices').set(row).where('id', '=', id).execute()
    return { id, isNew: false }
  }
  await makeRoom(db, device.user)
  await db
    .insertInto('known_devices')
    .values({ ...row, id, user_name: device.user, created_at: device.lastSeen })
    .execute()
  return { id, isNew: true }
}

/** This user's device among those that came along, if it is still one. */
async function ownDevice(
  db: Kysely<Tables>,
  { user, lastSeen: now }: NewDevice,
  known: readonly string[],
): Promise<string | undefined> {
  if (known.length === 0) return undefined
  const row = await db
    .selectFrom('known_devices')
    .select('id')
    .where('token_hash', 'in', known)
    .where('user_name', '=', user)
    .where('expires_at', '>', now)
    .orderBy('created_at')
    .executeTakeFirst()
  return row?.id
}

async function makeRoom(db: Kysely<Tables>, user: string): Promise<void> {
  await db
    .deleteFrom('known_devices')
    .where('id', 'in', (query) =>
      query
        .selectFrom('known_devices')
        .select('id')
        .where('user_name', '=', user)
        .orderBy('last_seen', 'desc')
        // SQLite takes no OFFSET without a LIMIT.
        .limit(1_000_000)
        .offset(MAX_DEVICES - 1),
    )
    .execute()
}

/** No salt: 256 random bits cannot be guessed. */
const hashOf = (token: string): string => createHash('sha256').update(token).digest('base64url')

const toDevice = (row: Selectable<DeviceRow>): KnownDevice => ({
  id: row.id,
  user: row.user_name,
  address: row.address,
  userAgent: row.user_agent,
  // Written as times; a column has no brand.
  createdAt: row.created_at as EpochMs,
  lastSeen: row.last_seen as EpochMs,
  expiresAt: row.expires_at as EpochMs,
})
