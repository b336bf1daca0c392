/** What the rooms may count on, whichever database they keep things in. */
import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { AppError } from '../../src/kernel/errors.ts'
import type { Migration } from '../../src/kernel/feature.ts'
import type { Storage } from '../../src/storage/index.ts'

export const fruitMigrations: Readonly<Record<string, Migration>> = {
  '0001_fruit': {
    up: async (db, columns) => {
      await columns
        .table(db, 'fruit')
        .addColumn('name', columns.text, (column) => column.primaryKey())
        .addColumn('seen_at', columns.integer, (column) => column.notNull())
        .addColumn('stone', columns.bytes)
        .execute()
      await db.schema.createIndex('fruit_by_time').on('fruit').column('seen_at').execute()
    },
  },
}

type Tables = {
  fruit: { name: string; seen_at: number; stone: Uint8Array | null }
}

/** @param open opens a storage that is new and empty, migrated with `fruitMigrations`; it is closed by itself */
export function storageConformance(name: string, open: (t: TestContext) => Promise<Storage>): void {
  const tables = async (storage: Pick<Storage, 'db'>) =>
    (await storage.db()).$extendTables<Tables>()

  suite(`a database (${name})`, () => {
    test('keeps texts, whole numbers and bytes as they were', async (t) => {
      const db = await tables(await open(t))
      const rows = [
        { name: 'Straße ☂ 𝒳 \' " \\ $1 ?', seen_at: Number.MAX_SAFE_INTEGER, stone: null },
        { name: '', seen_at: -1, stone: new Uint8Array([0, 255, 10]) },
      ]
      for (const row of rows) await db.insertInto('fruit').values(row).execute()
      const found = await db.selectFrom('fruit').selectAll().orderBy('seen_at', 'desc').execute()
      assert.deepEqual(
        found.map(({ stone, ...row }) => ({ ...row, stone: stone && new Uint8Array(stone) })),
        rows,
      )
    })

    test('counts in numbers', async (t) => {
      const db = await tables(await open(t))
      await db.insertInto('fruit').values({ name: 'pear', seen_at: 7, stone: null }).execute()
      const { count, latest } = await db
        .selectFrom('fruit')
        .select(({ fn }) => [fn.countAll().as('count'), fn.max('seen_at').as('latest')])
        .executeTakeFirstOrThrow()
      assert.deepEqual({ count, latest }, { count: 1, latest: 7 })
      const { numDeletedRows } = await db.deleteFrom('fruit').executeTakeFirstOrThrow()
      assert.equal(numDeletedRows, 1n)
    })

    test('orders texts byte by byte', async (t) => {
      const db = await tables(await open(t))
      for (const name of ['b', 'a-c', 'B', 'ab', 'é', '_'])
        await db.insertInto('fruit').values({ name, seen_at: 0, stone: null }).execute()
      const found = await db.selectFrom('fruit').select('name').orderBy('name').execute()
      assert.deepEqual(
        found.map(({ name }) => name),
        ['B', '_', 'a-c', 'ab', 'b', 'é'],
      )
    })

    test('refuses what the column has no type for', async (t) => {
      const storage = await open(t)
      const db = (await storage.db()).$extendTables<{ fruit: { name: string; seen_at: string } }>()
      const wrong = db.insertInto('fruit').values({ name: 'pear', seen_at: 'yesterday' }).execute()
      await assert.rejects(wrong, (error) => !(error instanceof AppError))
    })

    test('says of a duplicate key what it is: no failure of its own', async (t) => {
      const db = await tables(await open(t))
      const pear = { name: 'pear', seen_at: 0, stone: null }
      await db.insertInto('fruit').values(pear).execute()
      await assert.rejects(
        db.insertInto('fruit').values(pear).execute(),
        (error) => !(error instanceof AppError) && /unique/i.test(String(error)),
      )
    })

    test('takes an insert that is an update when the row is there, and returns it', async (t) => {
      const db = await tables(await open(t))
      const seen = async () =>
        db
          .insertInto('fruit')
          .values({ name: 'pear', seen_at: 1, stone: null })
          .onConflict((conflict) =>
            conflict.column('name').doUpdateSet(({ eb }) => ({
              seen_at: eb('fruit.seen_at', '+', 1),
            })),
          )
          .returning('seen_at')
          .executeTakeFirstOrThrow()
      const all = await Promise.all(Array.from({ length: 50 }, seen))
      assert.deepEqual(
        all.map(({ seen_at }) => seen_at).sort((a, b) => a - b),
        Array.from({ length: 50 }, (_, i) => i + 1),
      )
    })

    test('undoes a transaction that fails, and goes on', async (t) => {
      const storage = await open(t)
      const failing = storage.transaction(async (tx) => {
        const db = tx.$extendTables<Tables>()
        await db.insertInto('fruit').values({ name: 'rotten', seen_at: 0, stone: null }).execute()
        throw new Error('thrown away')
      })
      await assert.rejects(failing, /thrown away/)
      const db = await tables(storage)
      assert.deepEqual(await db.selectFrom('fruit').selectAll().execute(), [])
    })

    test('runs transactions that lock the same name one after the other', async (t) => {
      const storage = await open(t)
      // Read, then write: without the lock two of them would find the same.
      const count = () =>
        storage.transaction(
          async (tx) => {
            const db = tx.$extendTables<Tables>()
            const rows = await db.selectFrom('fruit').select('name').execute()
            const name = String(rows.length)
            await db.insertInto('fruit').values({ name, seen_at: 0, stone: null }).execute()
            return rows.length
          },
          { locks: ['user:john', 'address:192.0.2.1'] },
        )
      const turned = () =>
        storage.transaction(async () => -1, { locks: ['address:192.0.2.1', 'user:john'] })
      const all = await Promise.all(
        Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? turned() : count())),
      )
      assert.deepEqual(
        all.filter((n) => n >= 0).sort((a, b) => a - b),
        Array.from({ length: 40 }, (_, i) => i),
      )
    })

    test('answers when it is asked whether it does', async (t) => {
      await (await open(t)).check()
    })
  })
}
