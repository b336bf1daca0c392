/**
 * Databases, not data: opens the embedded SQLite file and, when it is configured, PostgreSQL; keeps their schemas up to
 * date, and hands out connections.
 *
 * Owns: where the file lies and who may read it, how durable a commit is, the order and the lock of migrations, how long
 * a database may take, which of its failures a client may read as "unavailable", and the key that seals columns. Does not
 * own: tables (each feature's manifest has its migrations) or what is in them.
 *
 * Two ways in. `db` and `transaction` are the database that the configuration names: what they keep is shared with other
 * instances when that is PostgreSQL, and a feature writes SQL that both understand (docs/decisions/022-postgresql.md).
 * `sqlite` and `write` are the embedded file, always: what belongs to this instance alone.
 */
export { trustedCertificates } from './certificates.ts'
export { changeKey, checkOf, type KeyChange, type KeyChanged } from './encryption/change.ts'
export {
  type EncryptionSetting,
  findKey,
  openSealer,
  sealerOf,
  wrongKey,
} from './encryption/key.ts'
export { type ColumnReport, checkSealed, otherServers } from './encryption/reseal.ts'
export { discardSealed } from './encryption/reset.ts'
export { type KeyWatch, watchKey } from './encryption/watch.ts'
export { type MigrationState, migrationHistory } from './history.ts'
export { openStorage } from './open.ts'
export { lookAtDatabase } from './sqlite/look.ts'
export type { Storage, StorageOptions, TransactionOptions } from './storage.ts'
export { startSweeper } from './sweeper.ts'
