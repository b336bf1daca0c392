import { OperatorError } from '../../kernel/operator-error.ts'
import { CHECK_COLUMN, readCheck, sampleSealed } from './check-value.ts'
import { type EncryptionSetting, findKey, KEY_SECRET, sealerOf } from './key.ts'

/**
 * Removes every row that has a sealed value, and the check value: for a key that is lost. The next start makes a key or
 * takes the configured one.
 * @returns how many rows
 * @throws OperatorError where the key is there; nothing is changed then
 */
export async function discardSealed(setting: EncryptionSetting): Promise<number> {
  const { storage, columns } = setting
  if (await isKeyThere(setting))
    throw new OperatorError(
      'the key of the database is there: nothing has to be discarded',
      'to change the key: `vestibule storage encryption change-key`',
    )
  const { sql } = await import('kysely')
  return storage.transaction(
    async (db) => {
      let rows = 0n
      for (const { table, column } of [CHECK_COLUMN, ...columns]) {
        const { numAffectedRows = 0n } =
          await sql`delete from ${sql.table(table)} where ${sql.ref(column)} is not null`.execute(
            db,
          )
        if (table !== CHECK_COLUMN.table) rows += numAffectedRows
      }
      return Number(rows)
    },
    { locks: ['encryption'] },
  )
}

/** Without a check value, the sealed values say it. */
async function isKeyThere(setting: EncryptionSetting): Promise<boolean> {
  const { configured, data, storage, columns } = setting
  const check = await readCheck(storage)
  if (check !== undefined) return findKey(setting, check) !== undefined
  const secret = configured ?? data.existing(KEY_SECRET)
  if (secret === undefined) return false
  const samples = await sampleSealed(storage, columns)
  const sealer = sealerOf(secret)
  return samples.some(({ value, place }) => sealer.open(value, place) !== undefined)
}
