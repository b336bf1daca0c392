/**
 * The check value: one row that is sealed with the encryption key. A key that does not open it is not the key of this
 * database.
 */
import type { SealedColumn } from '../../kernel/feature.ts'
import { type Sealer, sealedPlace } from '../../kernel/seal.ts'
import type { Storage } from '../storage.ts'

export const CHECK_TABLE = 'storage_encryption'
export const CHECK_COLUMN: SealedColumn = { table: CHECK_TABLE, column: 'value', key: ['name'] }

const NAME = 'check'
const PLAIN = Buffer.from('vestibule')

export type Row = Readonly<Record<string, unknown>>

/** The place of a value in its row. */
export const placeIn = ({ table, column, key }: SealedColumn, row: Row): string =>
  sealedPlace(
    table,
    column,
    key.map((name) => String(row[name])),
  )

/** The check value; undefined: there is none yet. */
export async function readCheck(storage: Storage): Promise<Uint8Array | undefined> {
  const [row] = await select(storage, `select value from ${CHECK_TABLE} where name = '${NAME}'`)
  return row?.['value'] instanceof Uint8Array ? row['value'] : undefined
}

export const opensCheck = (sealer: Sealer, check: Uint8Array): boolean =>
  sealer.open(check, placeIn(CHECK_COLUMN, { name: NAME }))?.equals(PLAIN) === true

/** Writes the first check value. Another node may have been faster: read it again after that. */
export async function writeCheck(storage: Storage, sealer: Sealer): Promise<void> {
  const value = sealer.seal(PLAIN, placeIn(CHECK_COLUMN, { name: NAME }))
  if (storage.dialect === 'sqlite') {
    await storage.write(() =>
      storage.sqlite
        .prepare(
          `insert into ${CHECK_TABLE} (name, value) values (?, ?) on conflict (name) do nothing`,
        )
        .run(NAME, value),
    )
    return
  }
  const db = (await storage.db()).$extendTables<{
    [CHECK_TABLE]: { name: string; value: Uint8Array }
  }>()
  await db
    .insertInto(CHECK_TABLE)
    .values({ name: NAME, value })
    .onConflict((conflict) => conflict.column('name').doNothing())
    .execute()
}

/** One value of each sealed column that has any. */
export async function sampleSealed(
  storage: Storage,
  columns: readonly SealedColumn[],
): Promise<readonly { readonly place: string; readonly value: Uint8Array }[]> {
  const found: { place: string; value: Uint8Array }[] = []
  for (const one of columns) {
    const [row] = await select(
      storage,
      `select ${[...one.key, one.column].map(quoted).join(', ')} from ${quoted(one.table)}
       where ${quoted(one.column)} is not null limit 1`,
    )
    const value = row?.[one.column]
    if (row !== undefined && value instanceof Uint8Array)
      found.push({ place: placeIn(one, row), value })
  }
  return found
}

export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`

/** Without Kysely on SQLite: to import it costs as much as half the start. */
async function select(storage: Storage, text: string): Promise<readonly Row[]> {
  if (storage.dialect === 'sqlite') return storage.sqlite.prepare(text).all()
  const { CompiledQuery } = await import('kysely')
  const { rows } = await (await storage.db()).executeQuery<Row>(CompiledQuery.raw(text))
  return rows
}
