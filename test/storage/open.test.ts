import assert from 'node:assert/strict'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { suite, type TestContext, test } from 'node:test'
import type { Migration } from 'kysely/migration'
import { OperatorError } from '../../src/kernel/operator-error.ts'
import { openStorage } from '../../src/storage/index.ts'

const quiet = { info() {} }

/** A folder that is gone when the test is over. */
function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'vestibule-storage-'))
  t.after(() => rmSync(path, { recursive: true, force: true }))
  return path
}

const first: Readonly<Record<string, Migration>> = {
  '0001_fruit': {
    up: async (db) => {
      await db.schema.createTable('fruit').addColumn('name', 'text').execute()
    },
  },
}
const both: Readonly<Record<string, Migration>> = {
  '0002_colour': {
    up: async (db) => {
      await db.schema.alterTable('fruit').addColumn('colour', 'text').execute()
    },
  },
  ...first,
}

/** One table each. */
const numbered = (numbers: readonly number[]): Readonly<Record<string, Migration>> =>
  Object.fromEntries(
    numbers.map((number) => [
      `000${number}_t${number}`,
      { up: (db) => db.schema.createTable(`t${number}`).addColumn('a', 'text').execute() },
    ]),
  )
const tablesOf = (sqlite: DatabaseSync): string[] =>
  sqlite
    .prepare("select name from sqlite_schema where name glob 't[0-9]' order by name")
    .all()
    .map(({ name }) => String(name))

const refusal = (pattern: RegExp) => (error: unknown) => {
  assert.ok(error instanceof OperatorError, String(error))
  assert.match(error.message, pattern)
  return true
}

suite('the database file', () => {
  test('is made with its folder, and nobody else can read it or what lies beside it', async (t) => {
    const path = join(folder(t), 'data', 'vestibule.sqlite3')
    const storage = await openStorage({ path, migrations: first, log: quiet })
    await storage.write(() => storage.sqlite.exec("insert into fruit values ('pear')"))
    for (const file of [path, `${path}-wal`, `${path}-shm`]) {
      assert.equal(statSync(file).mode & 0o777, 0o600, file)
    }
    await storage.close()
  })

  test('loses the rights that others had on it', async (t) => {
    const path = join(folder(t), 'vestibule.sqlite3')
    await (await openStorage({ path, migrations: first, log: quiet })).close()
    chmodSync(path, 0o644)
    await (await openStorage({ path, migrations: first, log: quiet })).close()
    assert.equal(statSync(path).mode & 0o777, 0o600)
  })

  test('is durable: WAL, and every commit on disk before it is acknowledged', async (t) => {
    const path = join(folder(t), 'vestibule.sqlite3')
    const { sqlite, close } = await openStorage({ path, migrations: first, log: quiet })
    const pragma = (name: string) => Object.values(sqlite.prepare(`pragma ${name}`).get() ?? {})[0]
    assert.equal(pragma('journal_mode'), 'wal')
    assert.equal(pragma('synchronous'), 2)
    assert.equal(pragma('foreign_keys'), 1)
    assert.equal(pragma('trusted_schema'), 0)
    assert.equal(pragma('busy_timeout'), 1000)
    await close()
  })

  test('is refused when it is no database, and left as it was', async (t) => {
    const path = join(folder(t), 'notes.txt')
    writeFileSync(path, 'this is a text that is surely longer than one hundred bytes. '.repeat(20))
    chmodSync(path, 0o644)
    await assert.rejects(
      openStorage({ path, migrations: first, log: quiet }),
      refusal(/notes\.txt cannot be used: it is no SQLite database/),
    )
    assert.equal(statSync(path).mode & 0o777, 0o644)
  })

  test('is refused and left as it was when it belongs to another program', async (t) => {
    const path = join(folder(t), 'db.sqlite3')
    const other = new DatabaseSync(path)
    other.exec('create table migrations (id integer)')
    other.close()
    await assert.rejects(
      openStorage({ path, migrations: first, log: quiet }),
      refusal(/belongs to another program \(it has a table "migrations"\)/),
    )
    const after = new DatabaseSync(path)
    assert.deepEqual({ ...after.prepare('pragma journal_mode').get() }, { journal_mode: 'delete' })
    after.close()
  })

  test('is refused with the reason when it cannot be made', async (t) => {
    const path = join(folder(t), 'vestibule.sqlite3')
    mkdirSync(path)
    await assert.rejects(
      openStorage({ path, migrations: first, log: quiet }),
      refusal(/cannot be opened \(EISDIR\)/),
    )
  })
})

suite('migrations', () => {
  test('run in the order of their names, once', async (t) => {
    const path = join(folder(t), 'vestibule.sqlite3')
    const said: unknown[] = []
    const log = { info: (fields: unknown) => said.push(fields) }
    await (await openStorage({ path, migrations: both, log })).close()
    assert.deepEqual(said, [{ migration: '0001_fruit' }, { migration: '0002_colour' }])
    await (await openStorage({ path, migrations: both, log })).close()
    assert.equal(said.length, 2)
  })

  test('go on where an older version stopped, and what it wrote is still there', async (t) => {
    const path = join(folder(t), 'vestibule.sqlite3')
    const old = await openStorage({ path, migrations: first, log: quiet })
    await old.write(() => old.sqlite.exec("insert into fruit values ('pear')"))
    await old.close()
    const storage = await openStorage({ path, migrations: both, log: quiet })
    const rows = storage.sqlite.prepare('select * from fruit').all()
    assert.deepEqual({ ...rows[0] }, { name: 'pear', colour: null })
    await storage.close()
  })

  test('of a newer version stop an older one', async (t) => {
    const path = join(folder(t), 'vestibule.sqlite3')
    await (await openStorage({ path, migrations: both, log: quiet })).close()
    await assert.rejects(
      openStorage({ path, migrations: first, log: quiet }),
      refusal(/newer version of Vestibule \(migration "0002_colour"\)/),
    )
  })

  test('reach a database that was made by any older set of them, whatever its numbers', async (t) => {
    const sets = [[1], [3], [1, 3], [2, 3], [1, 5], []]
    for (const numbers of sets) {
      const path = join(folder(t), 'vestibule.sqlite3')
      const older = await openStorage({ path, migrations: numbered(numbers), log: quiet })
      await older.close()
      const said: string[] = []
      const log = { info: ({ migration }: { migration: string }) => void said.push(migration) }
      const storage = await openStorage({ path, migrations: numbered([1, 2, 3, 5]), log })
      const missing = [1, 2, 3, 5].filter((number) => !numbers.includes(number))
      assert.deepEqual(said, Object.keys(numbered(missing)), `made by ${numbers}`)
      assert.deepEqual(tablesOf(storage.sqlite), ['t1', 't2', 't3', 't5'])
      await storage.close()
    }
  })

  test('that fail leave nothing behind', async (t) => {
    const path = join(folder(t), 'vestibule.sqlite3')
    const broken: Readonly<Record<string, Migration>> = {
      ...first,
      '0002_broken': {
        up: async (db) => {
          await db.schema.createTable('half').addColumn('a', 'text').execute()
          throw new Error('power cut')
        },
      },
    }
    await assert.rejects(openStorage({ path, migrations: broken, log: quiet }), /power cut/)
    const storage = await openStorage({ path, migrations: both, log: quiet })
    assert.equal(
      storage.sqlite.prepare("select 1 from sqlite_schema where name = 'half'").get(),
      undefined,
    )
    await storage.close()
  })
})

suite('a write', () => {
  test('waits for an open Kysely transaction and survives its rollback', async (t) => {
    const path = join(folder(t), 'vestibule.sqlite3')
    const storage = await openStorage({ path, migrations: first, log: quiet })
    const db = (await storage.db()).$extendTables<{ fruit: { name: string } }>()
    const inside = Promise.withResolvers<void>()
    const transaction = db.transaction().execute(async (tx) => {
      await tx.insertInto('fruit').values({ name: 'rotten' }).execute()
      inside.resolve()
      await new Promise((resolve) => setTimeout(resolve, 20))
      throw new Error('thrown away')
    })
    const failed = assert.rejects(transaction, /thrown away/)
    await inside.promise
    await storage.write(() => storage.sqlite.exec("insert into fruit values ('pear')"))
    await failed
    const rows = await db.selectFrom('fruit').select('name').execute()
    assert.deepEqual(
      rows.map(({ name }) => name),
      ['pear'],
    )
    await storage.close()
  })

  test('that throws writes nothing', async (t) => {
    const path = join(folder(t), 'vestibule.sqlite3')
    const storage = await openStorage({ path, migrations: first, log: quiet })
    const write = storage.write(() => {
      storage.sqlite.exec("insert into fruit values ('pear')")
      throw new Error('no')
    })
    await assert.rejects(write, /no/)
    assert.deepEqual(storage.sqlite.prepare('select * from fruit').all(), [])
    await storage.close()
  })
})
