import { OperatorError } from '../../kernel/operator-error.ts'
import type { Storage } from '../../storage/index.ts'
import { newIdentifier, type Service } from './identifier.ts'

export interface Owner {
  readonly service: Service
  /** A host name; empty for the one that clients without a sector share. */
  readonly sector: string
  /** Canonical. */
  readonly user: string
}

export interface OpaqueIdentifier extends Owner {
  readonly identifier: string
}

export interface Identifiers {
  /** Of this user, made at the first question; two nodes that ask at the same moment get the same one. */
  of(owner: Owner): Promise<string>
  /** All of them, in the order of service, sector and user. */
  list(): Promise<readonly OpaqueIdentifier[]>
  /**
   * Adds identifiers, all of them or none. One that is there already is passed over.
   * @returns how many were new
   * @throws OperatorError when a user has another one there, or another user has this one
   */
  add(identifiers: readonly OpaqueIdentifier[]): Promise<number>
}

type Tables = {
  opaque_identifiers: { service: string; sector: string; user_name: string; identifier: string }
}
type Db = Awaited<ReturnType<typeof tables>>

const tables = async (storage: Pick<Storage, 'db'>) => (await storage.db()).$extendTables<Tables>()

export function openIdentifiers(storage: Storage): Identifiers {
  return {
    async of(owner) {
      const db = await tables(storage)
      const found = await identifierOf(db, owner)
      if (found !== undefined) return found
      await insert(db, { ...owner, identifier: newIdentifier() })
      const made = await identifierOf(db, owner)
      if (made === undefined) throw new Error('the identifier was made and is gone again')
      return made
    },
    async list() {
      const db = await tables(storage)
      const rows = await db
        .selectFrom('opaque_identifiers')
        .selectAll()
        .orderBy('service')
        .orderBy('sector')
        .orderBy('user_name')
        .execute()
      return rows.map(({ service, sector, user_name: user, identifier }) => ({
        // As: nothing else is written.
        service: service as Service,
        sector,
        user,
        identifier,
      }))
    },
    add: (identifiers) =>
      storage.transaction(
        async (transaction) => {
          const db = transaction.$extendTables<Tables>()
          let added = 0
          for (const one of identifiers) {
            if (await insert(db, one)) added++
            else if ((await identifierOf(db, one)) !== one.identifier) throw await taken(db, one)
          }
          return added
        },
        { locks: ['opaque_identifiers'] },
      ),
  }
}

/** @returns false where the user has one, or another user has this one */
async function insert(db: Db, { service, sector, user, identifier }: OpaqueIdentifier) {
  const { numInsertedOrUpdatedRows = 0n } = await db
    .insertInto('opaque_identifiers')
    .values({ service, sector, user_name: user, identifier })
    .onConflict((conflict) => conflict.doNothing())
    .executeTakeFirstOrThrow()
  return numInsertedOrUpdatedRows > 0n
}

async function identifierOf(db: Db, { service, sector, user }: Owner): Promise<string | undefined> {
  const row = await db
    .selectFrom('opaque_identifiers')
    .select('identifier')
    .where('service', '=', service)
    .where('sector', '=', sector)
    .where('user_name', '=', user)
    .executeTakeFirst()
  return row?.identifier
}

async function taken(db: Db, one: OpaqueIdentifier): Promise<OperatorError> {
  const own = await identifierOf(db, one)
  const where = `${one.service}, sector ${JSON.stringify(one.sector)}`
  return new OperatorError(
    own === undefined
      ? `the identifier ${one.identifier} belongs to another user already`
      : `${JSON.stringify(one.user)} has another identifier already (${where})`,
    'nothing was changed',
  )
}
