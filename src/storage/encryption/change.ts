/**
 * A change of the encryption key. It may end at any moment, by kill -9 too: either key that is left finds its way. A new
 * key that belongs in the data directory is written beside the old one first, then the database changes in one
 * transaction, then the new key takes the place of the old one. The next start or the next change does the last step where
 * it was not done.
 */
import { randomBytes } from 'node:crypto'
import { OperatorError } from '../../kernel/operator-error.ts'
import { Secret } from '../../kernel/secret.ts'
import { opensCheck, readCheck } from './check-value.ts'
import {
  type EncryptionSetting,
  findKey,
  KEY_SECRET,
  NEXT_KEY_SECRET,
  sealerOf,
  wrongKey,
} from './key.ts'
import { resealAll } from './reseal.ts'

export interface KeyChange {
  /** The present key, where it is neither configured nor in the data directory. */
  readonly from?: Secret | undefined
  /** Undefined: the configured key where the database has another one, else a new one in the data directory. */
  readonly to?: Secret | undefined
}

export interface KeyChanged {
  readonly state: 'changed' | 'unchanged'
  readonly values: number
  /** Where the key of the database is now; `elsewhere`: only the operator has it. */
  readonly place: 'configuration' | 'data-directory' | 'elsewhere'
}

/** @throws OperatorError when the present key is not known or a value does not open; nothing is changed then */
export async function changeKey(
  setting: EncryptionSetting,
  change: KeyChange,
): Promise<KeyChanged> {
  const check = await checkOf(setting)
  const opens = (secret: Secret | undefined) =>
    secret !== undefined && opensCheck(sealerOf(secret), check)
  const kept = findKey({ ...setting, configured: undefined }, check)
  // A change was interrupted between the database and the data directory: this ends it.
  const wasInterrupted = kept?.place === NEXT_KEY_SECRET
  if (wasInterrupted) setting.data.promote(NEXT_KEY_SECRET, KEY_SECRET)
  const to = change.to ?? implied(setting, opens(setting.configured))
  if (change.to !== undefined) refuseWeak(change.to)
  if (to !== undefined && opens(to)) {
    keepInDataDirectory(setting, to)
    return { state: 'unchanged', values: 0, place: placeOf(setting, to) }
  }
  if (to === undefined && wasInterrupted)
    return { state: 'unchanged', values: 0, place: 'data-directory' }
  const from = change.from ?? (opens(setting.configured) ? setting.configured : kept?.secret)
  if (from === undefined) throw wrongKey(setting, check)
  if (!opens(from))
    throw new OperatorError(
      '--encryption-key is not the key that the database was sealed with',
      'give the present key; nothing was changed',
    )
  const next = to ?? new Secret(randomBytes(32).toString('base64url'))
  const inData = setting.configured === undefined
  if (inData) {
    setting.data.drop(NEXT_KEY_SECRET)
    setting.data.keep(NEXT_KEY_SECRET, next)
  }
  const values = await resealAll(setting.storage, setting.columns, {
    from: sealerOf(from),
    to: sealerOf(next),
  })
  if (inData) setting.data.promote(NEXT_KEY_SECRET, KEY_SECRET)
  return { state: 'changed', values, place: placeOf(setting, next) }
}

/** @throws OperatorError before the first start */
export async function checkOf({ storage }: EncryptionSetting): Promise<Uint8Array> {
  const check = await readCheck(storage)
  if (check !== undefined) return check
  throw new OperatorError(
    'the database has no encryption key yet',
    'start the server once: its first start makes the key or takes storage.encryption_key',
  )
}

/** @returns undefined: a new one is made */
function implied({ configured }: EncryptionSetting, isPresent: boolean): Secret | undefined {
  if (configured === undefined || !isPresent) return configured
  throw new OperatorError(
    'storage.encryption_key is the key of the database already',
    'say the new one with --new-encryption-key-file or --new-encryption-key',
  )
}

/** The key of a database that is changed already, where the data directory has another one. */
function keepInDataDirectory({ configured, data }: EncryptionSetting, key: Secret): void {
  if (configured !== undefined || data.existing(KEY_SECRET)?.reveal() === key.reveal()) return
  data.drop(NEXT_KEY_SECRET)
  data.keep(NEXT_KEY_SECRET, key)
  data.promote(NEXT_KEY_SECRET, KEY_SECRET)
}

const placeOf = ({ configured }: EncryptionSetting, key: Secret): KeyChanged['place'] => {
  if (configured === undefined) return 'data-directory'
  return configured.reveal() === key.reveal() ? 'configuration' : 'elsewhere'
}

/** As the configuration does; the data directory asks for two characters more. */
function refuseWeak(key: Secret): void {
  const text = key.reveal()
  if (text.length >= 22 && text.length <= 4096 && /^\S.*\S$/.test(text)) return
  throw new OperatorError(
    'the new encryption key cannot be used',
    'it takes 22 to 4096 characters in one line, without spaces around them; `vestibule crypto rand` makes one',
  )
}
