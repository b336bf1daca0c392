import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { Kysely, SqliteDialect, sql } from 'kysely'
import type { Columns } from '../../kernel/feature.ts'
import { unavailable } from './error.ts'

export const sqliteColumns: Columns = {
  dialect: 'sqlite',
  text: 'text',
  integer: 'integer',
  bytes: 'blob',
  // Without it SQLite keeps a text in a column of numbers.
  table: (db, name) => db.schema.createTable(name).modifyEnd(sql`strict`),
}

/**
 * Kysely over the connection that is open already. Imported by `open.ts` on first use only.
 *
 * The connection is not Kysely's: `destroy()` leaves it open.
 */
export function createKysely(sqlite: DatabaseSync): Kysely<unknown> {
  return new Kysely({
    dialect: new SqliteDialect({
      database: {
        close() {},
        prepare(sql) {
          // A deferred transaction that writes after it read fails at once when another process wrote in between;
          // an immediate one waits for its turn.
          const statement = asked(() => sqlite.prepare(sql === 'begin' ? 'begin immediate' : sql))
          return {
            reader: statement.columns().length > 0,
            all: (parameters) => asked(() => statement.all(...parameters.map(toInput))),
            run: (parameters) => asked(() => statement.run(...parameters.map(toInput))),
            iterate: (parameters) => statement.iterate(...parameters.map(toInput)),
          }
        },
      },
    }),
  })
}

/** @throws AppError STORE_UNAVAILABLE when it is the database that failed, and not the question */
function asked<T>(question: () => T): T {
  try {
    return question()
  } catch (error) {
    throw unavailable(error)
  }
}

/** @throws TypeError for what SQLite has no type for: a boolean or a Date is the query's mistake */
function toInput(value: unknown): SQLInputValue {
  if (
    value === null ||
    typeof value === 'string' ||
    typeof value === 'number' ||
    typeof value === 'bigint' ||
    value instanceof Uint8Array
  )
    return value
  throw new TypeError(`SQLite cannot keep a ${typeof value}`)
}
