/** A table with sealed columns, for tests of the encryption key. */
import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { type DataDirectory, openDataDirectory } from '../../src/files/data-directory.ts'
import type { Migration, SealedColumn } from '../../src/kernel/feature.ts'
import { OperatorError } from '../../src/kernel/operator-error.ts'
import { type Sealer, sealedPlace } from '../../src/kernel/seal.ts'
import { Secret } from '../../src/kernel/secret.ts'
import type { Storage } from '../../src/storage/index.ts'
import manifest from '../../src/storage/manifest.ts'
import { temporaryDirectory } from '../files/directory.ts'

export const columns: readonly SealedColumn[] = [
  { table: 'boxes', column: 'front', key: ['owner', 'name'] },
  { table: 'boxes', column: 'back', key: ['owner', 'name'] },
]

export const boxMigrations: Readonly<Record<string, Migration>> = {
  ...manifest.migrations,
  '9000_boxes': {
    up: async (db, { table, text, bytes }) => {
      await table(db, 'boxes')
        .addColumn('owner', text, (column) => column.notNull())
        .addColumn('name', text, (column) => column.notNull())
        .addColumn('front', bytes)
        .addColumn('back', bytes)
        .addPrimaryKeyConstraint('boxes_key', ['owner', 'name'])
        .execute()
    },
  },
}

export type Tables = {
  boxes: { owner: string; name: string; front: Uint8Array | null; back: Uint8Array | null }
  storage_encryption: { name: string; value: Uint8Array }
}
export const tables = async (storage: Pick<Storage, 'db'>) =>
  (await storage.db()).$extendTables<Tables>()

export const sealBox = (sealer: Sealer, column: string, owner: string, text: string) =>
  sealer.seal(Buffer.from(text), sealedPlace('boxes', column, [owner, 'a']))

export async function addBox(storage: Storage, sealer: Sealer, owner: string): Promise<void> {
  const front = sealBox(sealer, 'front', owner, `front of ${owner}`)
  const back = sealBox(sealer, 'back', owner, `back of ${owner}`)
  const db = await tables(storage)
  await db.insertInto('boxes').values({ owner, name: 'a', front, back }).execute()
}

export const refusal =
  (message: RegExp, hint = /./) =>
  (error: unknown) => {
    assert.ok(error instanceof OperatorError, String(error))
    assert.match(error.message, message)
    assert.match(error.hint ?? '', hint)
    return true
  }

export const dataIn = (t: TestContext): DataDirectory => openDataDirectory(temporaryDirectory(t))

export const key = (letter: string) => new Secret(letter.repeat(24))
