import type { DatabaseSync, SQLInputValue } from 'node:sqlite'
import { Kysely, SqliteDialect } from 'kysely'

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
          const statement = sqlite.prepare(sql === 'begin' ? 'begin immediate' : sql)
          return {
            reader: statement.columns().length > 0,
            all: (parameters) => statement.all(...parameters.map(toInput)),
            run: (parameters) => statement.run(...parameters.map(toInput)),
            iterate: (parameters) => statement.iterate(...parameters.map(toInput)),
          }
        },
      },
    }),
  })
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
