import { createHmac } from 'node:crypto'
import type { Clock, EpochMs } from '../../../kernel/clock.ts'
import { AppError } from '../../../kernel/errors.ts'
import { type Sealer, sealedPlace } from '../../../kernel/seal.ts'
import type { Storage } from '../../../storage/index.ts'
import type { RecoveryCodes } from '../method.ts'
import type { Tables } from '../tables.ts'

export interface RecoveryCodesDependencies {
  readonly storage: Pick<Storage, 'db' | 'transaction'>
  readonly sealer: Sealer
  readonly clock: Clock
  readonly random: (size: number) => Buffer
}

const CODES = 10
/** 80 bits. */
const BYTES = 10
/** Crockford's: without I, L, O and U, which are taken for others. */
const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const WELL_FORMED = /^[0-9A-HJKMNP-TV-Z]{16}$/

const placeOf = (user: string): string => sealedPlace('recovery_code_sets', 'hash_key', [user])

/**
 * Ten codes a user, each good once. What is stored is a hash, with a key of the user's own that is sealed: neither the rows
 * nor a copy of the database tell a code, and a change of the encryption key leaves the hashes as they are.
 */
export function createRecoveryCodes({
  storage,
  sealer,
  clock,
  random,
}: RecoveryCodesDependencies): RecoveryCodes {
  const open = async () => (await storage.db()).$extendTables<Tables>()

  async function remainingOf(user: string): Promise<number> {
    const row = await (await open())
      .selectFrom('recovery_codes')
      .select(({ fn }) => fn.countAll().as('count'))
      .where('user_name', '=', user)
      .executeTakeFirst()
    return Number(row?.count ?? 0)
  }

  const setOf = async (user: string) =>
    (await open())
      .selectFrom('recovery_code_sets')
      .selectAll()
      .where('user_name', '=', user)
      .executeTakeFirst()

  const replace = createReplace(storage, sealer)

  return {
    async status(user) {
      const set = await setOf(user)
      if (set === undefined) return undefined
      // Written as a time; a column has no brand.
      return { remaining: await remainingOf(user), createdAt: set.created_at as EpochMs }
    },
    async generate(user) {
      const codes = new Set<string>()
      while (codes.size < CODES) codes.add(encode(random(BYTES)))
      await replace(user, { key: random(32), codes: [...codes], at: clock.now() })
      return [...codes].map((code) => (code.match(/.{4}/g) ?? []).join('-'))
    },
    async use(user, code) {
      const normal = normalized(code)
      if (!WELL_FORMED.test(normal)) return undefined
      const set = await setOf(user)
      if (set === undefined) return undefined
      const key = sealer.open(set.hash_key, placeOf(user))
      if (key === undefined)
        throw new AppError('STORE_UNAVAILABLE', {
          reason: `the recovery codes of ${user} do not open with storage.encryption_key`,
        })
      // One statement: of any number of requests at once, one deletes the row.
      const gone = await (await open())
        .deleteFrom('recovery_codes')
        .where('user_name', '=', user)
        .where('code_hash', '=', hashOf(key, normal))
        .executeTakeFirst()
      return gone.numDeletedRows === 1n ? { remaining: await remainingOf(user) } : undefined
    },
    remove: (user) => replace(user),
  }
}

interface FreshSet {
  readonly key: Buffer
  readonly codes: readonly string[]
  readonly at: EpochMs
}

/** Removes a user's set, and stores another one where it is given. @returns whether there was one */
function createReplace(storage: Pick<Storage, 'transaction'>, sealer: Sealer) {
  return (user: string, fresh?: FreshSet): Promise<boolean> =>
    storage.transaction(
      async (plain) => {
        const db = plain.$extendTables<Tables>()
        await db.deleteFrom('recovery_codes').where('user_name', '=', user).execute()
        const gone = await db
          .deleteFrom('recovery_code_sets')
          .where('user_name', '=', user)
          .executeTakeFirst()
        if (fresh !== undefined) {
          const { key, codes, at } = fresh
          const hash_key = sealer.seal(key, placeOf(user))
          const set = { user_name: user, hash_key, created_at: at }
          await db.insertInto('recovery_code_sets').values(set).execute()
          const rows = codes.map((code) => ({ user_name: user, code_hash: hashOf(key, code) }))
          await db.insertInto('recovery_codes').values(rows).execute()
        }
        return gone.numDeletedRows > 0n
      },
      { locks: [`recovery-codes:${user}`] },
    )
}

const hashOf = (key: Buffer, code: string): string =>
  createHmac('sha256', key).update(code).digest('base64url')

/** Spaces, dashes and case do not matter, and letters that look like digits are these. */
const normalized = (code: string): string =>
  code.slice(0, 64).replace(/[\s-]/g, '').toUpperCase().replaceAll('O', '0').replace(/[IL]/g, '1')

function encode(bytes: Buffer): string {
  let bits = BigInt(`0x${bytes.toString('hex')}`)
  let text = ''
  for (let i = 0; i < (bytes.length * 8) / 5; i++) {
    text = ALPHABET.charAt(Number(bits & 31n)) + text
    bits >>= 5n
  }
  return text
}
