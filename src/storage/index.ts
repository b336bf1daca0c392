/**
 * Databases, not data: opens the embedded SQLite file, keeps its schema up to date, and hands out the connection.
 *
 * Owns: where the file lies and who may read it, how durable a commit is, the order and the lock of migrations. Does
 * not own: tables (each room's manifest has its migrations) or what is in them.
 */
export { type FileLock, lockFile } from './file-lock.ts'
export { openStorage, type Storage, type StorageOptions } from './open.ts'
