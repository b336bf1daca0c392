/** What every database offers: the port of storage/sqlite and storage/postgres. */
import type { Kysely } from 'kysely'
import type { BaseLogger } from 'pino'
import type { Clock } from '../kernel/clock.ts'
import type { Migration } from '../kernel/feature.ts'
import type { PostgresConfig } from './postgres-config.ts'
import type { EmbeddedStorage } from './sqlite/open.ts'

export interface TransactionOptions {
  /**
   * Names of what is read before it is written (`attempts:john`). No two transactions with a name in common run at once,
   * on any instance, and the later one sees all that the earlier one wrote. One statement needs none.
   */
  readonly locks?: readonly string[]
}

/**
 * Where features keep things. What `db` and `transaction` are asked while the database fails rejects with AppError
 * STORE_UNAVAILABLE, and every question ends: there is a time limit on each. Any other rejection is a bug, or what the
 * statement itself provoked (a duplicate key).
 */
export interface Storage extends Pick<EmbeddedStorage, 'sqlite' | 'write'> {
  readonly dialect: 'sqlite' | 'postgres'
  /** Kysely over the database that is configured; imported when it is first asked for. Type it with `$extendTables`. */
  db(): Promise<Kysely<unknown>>
  /**
   * Runs `work` in one transaction: all of it or nothing, on disk when the promise resolves. On SQLite transactions run
   * one after the other; on PostgreSQL at once, each statement seeing what was committed before it (READ COMMITTED).
   *
   * @param work asks only the database that it is handed, and waits for nothing else
   */
  transaction<T>(
    work: (db: Kysely<unknown>) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>
  /**
   * Within a transaction: other instances that listen to the topic are called once it is committed. Without effect on
   * SQLite, which one instance has for itself.
   */
  tell(tx: Kysely<unknown>, topic: string): Promise<void>
  /**
   * Calls `listener` soon after another instance told of the topic, and when something may have been missed. A call may be
   * lost with the connection: ask now and then, too.
   * @returns what ends it
   */
  listen(topic: string, listener: () => void): () => void
  /** Rejects when a database does not answer. */
  check(): Promise<void>
  close(): Promise<void>
}

export interface StorageOptions {
  /** The embedded file; its folder is made when it is missing. `:memory:` keeps everything in memory. */
  readonly path: string
  /** The database besides it; undefined: the file is all there is. */
  readonly postgres?: PostgresConfig | undefined
  /** Certificates that the connection to PostgreSQL trusts, all of them; undefined: Node's. */
  readonly trusted?: readonly string[] | undefined
  readonly migrations: Readonly<Record<string, Migration>>
  readonly log: Pick<BaseLogger, 'info'>
  readonly clock?: Clock
}
