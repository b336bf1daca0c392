import type { Migration as KyselyMigration } from 'kysely/migration'
import type { z } from 'zod'

/** Where a fault sits in the configuration: `['access_control', 'rules', 0, 'domain']`. */
export type ConfigPath = readonly (string | number)[]

/** How a check that spans several keys says what it found. The loader adds file, line and column. */
export interface ConfigReport {
  /** The configuration is refused. `hint` says what would be accepted. */
  fault(path: ConfigPath, message: string, hint?: string): void
  /** The configuration is accepted, and the log says this once at start. */
  warn(path: ConfigPath, message: string): void
}

/** Something that is wrong in a file of its own, at a place there. From 1. */
export interface FilePlace {
  readonly source: string
  readonly line?: number
  readonly column?: number
  /** Of the key in that file; empty for the file itself. */
  readonly path: string
}

/** How a look at what the start depends on says what it found. */
export interface StartReport extends ConfigReport {
  /** The start is refused for what stands in another file. */
  faultIn(place: FilePlace, message: string, hint?: string): void
  /** This file is there and holds secrets: who else may read or write it is said. */
  secretFile(path: string): void
}

/** Where the server would run. */
export interface StartPlace {
  /** Makes a path of the configuration absolute. */
  resolve(path: string): string
  /** The absolute path of something in the data directory, which may not exist yet. */
  inDataDirectory(name: string): string
}

/** Kysely over the database that is migrated. */
export type MigrationDb = Parameters<KyselyMigration['up']>[0]
type Table = ReturnType<MigrationDb['schema']['createTable']>
type ColumnType = Parameters<Table['addColumn']>[1]

/** The types of columns, as the database that is migrated calls them, and a way to make a table of them. */
export interface Columns {
  readonly dialect: 'sqlite' | 'postgres'
  /** Compared and ordered byte by byte, on both. Without NUL: PostgreSQL refuses it. */
  readonly text: ColumnType
  /** Whole numbers up to 2^53: times in milliseconds, counts, flags (0 or 1: SQLite has no booleans). */
  readonly integer: 'integer' | 'bigint'
  readonly bytes: 'blob' | 'bytea'
  /** Begins a table that refuses values of another type, on both. */
  table(db: MigrationDb, name: string): Table
}

/** A change of the schema, written once for both databases. It runs in a transaction. */
export interface Migration {
  /** Of the embedded file alone, which is there also when PostgreSQL is configured. */
  readonly embedded?: true
  up(db: MigrationDb, columns: Columns): Promise<void>
}

/** What a room declares before anything runs. A leaf: it imports the kernel and zod only. */
export interface Manifest {
  /**
   * Slices of the configuration by dotted path (`session`, `authentication_backend.file`). Claimed once; a slice may lie
   * inside another whose schema does not have that key itself.
   */
  readonly config?: Readonly<Record<string, z.ZodType>>
  /**
   * Checks that need more than one slice. Where a slice that it asks for has faults, the check ends there.
   * @param config the parsed slices by dotted path; `explicit` says whether the path was written down anywhere
   */
  readonly check?: (
    config: Readonly<Record<string, unknown>>,
    report: ConfigReport,
    explicit: (path: ConfigPath) => boolean,
  ) => void
  /**
   * Looks at files and folders that the start depends on. It makes and changes nothing: `config validate` runs it as
   * `serve` does, and both refuse for what it finds.
   * @param config the parsed slices by dotted path, none of which has a fault
   */
  readonly look?: (
    config: Readonly<Record<string, unknown>>,
    place: StartPlace,
    report: StartReport,
  ) => Promise<void>
  /**
   * Migrations by name, `NNNN_what`; unique and in order over all rooms. They change the database that the configuration
   * names, and always the embedded file as well: whoever goes back to it finds its tables.
   */
  readonly migrations?: Readonly<Record<string, Migration>>
  /** Words by language and key; keys are `room.key`. */
  readonly messages?: Readonly<Record<string, Readonly<Record<string, string>>>>
}
