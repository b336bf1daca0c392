/**
 * The encryption key: `storage.encryption_key`, or the one in the data directory, which is made at the first start. It
 * must open the check value of the database.
 */
import type { DataDirectory } from '../../files/data-directory.ts'
import type { SealedColumn } from '../../kernel/feature.ts'
import { OperatorError } from '../../kernel/operator-error.ts'
import { createSealer, type Sealer } from '../../kernel/seal.ts'
import type { Secret } from '../../kernel/secret.ts'
import type { Storage } from '../storage.ts'
import { opensCheck, readCheck, sampleSealed, writeCheck } from './check-value.ts'

/** Names of secrets in the data directory. A key change writes the new key to the second one first. */
export const KEY_SECRET = 'encryption'
export const NEXT_KEY_SECRET = 'encryption.next'

export interface EncryptionSetting {
  /** `storage.encryption_key`. */
  readonly configured: Secret | undefined
  readonly data: DataDirectory
  readonly storage: Storage
  /** All sealed columns of all features. */
  readonly columns: readonly SealedColumn[]
}

export const sealerOf = (secret: Secret): Sealer => createSealer([secret], 'storage')

/**
 * The sealer of the database. The first start makes the key, where none is configured, and the check value.
 * @throws OperatorError when the key is missing or is not the key of this database; nothing is changed then
 */
export async function openSealer(setting: EncryptionSetting): Promise<Sealer> {
  const { configured, data, storage, columns } = setting
  const check = await readCheck(storage)
  if (check !== undefined) return sealerOf(keyOf(setting, check))
  const samples = await sampleSealed(storage, columns)
  // A key that is made now opens nothing of what is there.
  const secret =
    configured ?? (samples.length === 0 ? data.secret(KEY_SECRET) : data.existing(KEY_SECRET))
  const sealer = secret && sealerOf(secret)
  if (sealer === undefined || !samples.every(({ value, place }) => sealer.open(value, place)))
    throw wrongKey(setting, undefined)
  await writeCheck(storage, sealer)
  const written = await readCheck(storage)
  // Another node may have written the check value of its own key in the meantime.
  if (written === undefined || !opensCheck(sealer, written)) throw wrongKey(setting, written)
  return sealer
}

/**
 * The key that opens the check value. Finishes a key change that was interrupted after the database had the new key.
 * @throws OperatorError
 */
export function keyOf(setting: EncryptionSetting, check: Uint8Array): Secret {
  const found = findKey(setting, check)
  if (found === undefined) throw wrongKey(setting, check)
  if (found.place === NEXT_KEY_SECRET) setting.data.promote(NEXT_KEY_SECRET, KEY_SECRET)
  return found.secret
}

/** As `keyOf`, and changes nothing; undefined where none opens it. */
export function findKey(
  { configured, data }: EncryptionSetting,
  check: Uint8Array,
): { readonly secret: Secret; readonly place: string } | undefined {
  const opens = (secret: Secret | undefined): secret is Secret =>
    secret !== undefined && opensCheck(sealerOf(secret), check)
  if (configured !== undefined)
    return opens(configured) ? { secret: configured, place: 'configuration' } : undefined
  for (const place of [KEY_SECRET, NEXT_KEY_SECRET]) {
    const secret = data.existing(place)
    if (opens(secret)) return { secret, place }
  }
  return undefined
}

export function wrongKey(
  { configured, data, storage }: EncryptionSetting,
  check: Uint8Array | undefined,
): OperatorError {
  const file = data.secretFile(KEY_SECRET)
  const own = data.existing(KEY_SECRET)
  const database = storage.dialect === 'postgres' ? 'the PostgreSQL database' : 'the database'
  if (configured !== undefined) {
    const ownOpens = own !== undefined && check !== undefined && opensCheck(sealerOf(own), check)
    return new OperatorError(
      `storage.encryption_key is not the key that ${database} was sealed with`,
      ownOpens
        ? `${file} has that key: end the server and run \`vestibule storage encryption change-key\`, or remove ` +
            'storage.encryption_key'
        : 'set storage.encryption_key to that key; to change the key, see `vestibule storage encryption change-key`',
    )
  }
  return new OperatorError(
    own === undefined
      ? `${database} was sealed with a key that is not here: storage.encryption_key is not set, and there is no ${file}`
      : `${database} was sealed with another key than the one in ${file}`,
    storage.dialect === 'postgres'
      ? 'set storage.encryption_key, on every server that uses this database, to the key that it was sealed with; a server ' +
          'that made the key itself has it in secrets/encryption of its data directory'
      : `restore ${file} from a backup, or set storage.encryption_key to the key that the database was sealed with`,
  )
}
