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
  /** The start is refused because of another file. */
  faultIn(place: FilePlace, message: string, hint?: string): void
  /** This file exists and holds secrets: the report warns when other users may read or write it. */
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

/** A column whose values are sealed with `storage.encryption_key` (seal.ts, `sealedPlace`). It holds bytes or null. */
export interface SealedColumn {
  readonly table: string
  readonly column: string
  /** The columns that name a row, all text. A value is tied to them. */
  readonly key: readonly string[]
}

export type Explicit = (path: ConfigPath) => boolean

/**
 * What a feature declares before anything runs. A leaf: it imports the kernel, zod, files of its own folder and the
 * manifests whose slices it reads. Made with `defineManifest`, which types what its checks read.
 */
export interface Manifest {
  /**
   * Slices of the configuration by dotted path (`session`, `authentication_backend.file`). Claimed once; a slice may lie
   * inside another whose schema does not have that key itself.
   */
  readonly config?: Readonly<Record<string, z.ZodType>>
  /** Those of its slices that a reload takes up. Everything else needs a restart, and the log says so. */
  readonly live?: readonly string[]
  /**
   * The first segments of the paths at which it answers: `/api`, `/settings`. The app does not boot with a route that
   * lies at none of them, and a base path must not begin with one.
   */
  readonly paths?: readonly string[]
  /**
   * Checks that need more than one slice. Where a slice that it asks for has faults, the check ends there.
   * @param config the parsed slices by dotted path; `explicit` says whether the path was written down anywhere
   */
  readonly check?: (
    config: Readonly<Record<string, unknown>>,
    report: ConfigReport,
    explicit: Explicit,
  ) => void
  /**
   * Looks at files and folders that the start depends on. It makes and changes nothing: `config validate` runs it as
   * `serve` and a reload do, and all of them refuse for what it finds.
   * @param config the parsed slices by dotted path, none of which has a fault
   */
  readonly look?: (
    config: Readonly<Record<string, unknown>>,
    place: StartPlace,
    report: StartReport,
  ) => Promise<void>
  /**
   * Migrations by name, `NNNN_what`; unique and in order over all features. They change the database that the
   * configuration names, and always the embedded file as well: an installation that goes back to it finds its tables.
   */
  readonly migrations?: Readonly<Record<string, Migration>>
  /** Every sealed column of its tables: the encryption key is checked and changed over all of them. */
  readonly sealed?: readonly SealedColumn[]
  /** Texts by language and key; keys are `feature.key`. */
  readonly messages?: Readonly<Record<string, Readonly<Record<string, string>>>>
}

type Schemas = Readonly<Record<string, z.ZodType>>
type WithConfig = { readonly config?: Schemas }
type PathsOf<M> = M extends { readonly config: infer C } ? keyof C & string : never
type SchemaOf<M, P> = M extends { readonly config: infer C }
  ? P extends keyof C
    ? C[P]
    : never
  : never

/** The parsed slices of these manifests (a union), each under its dotted path. */
export type SlicesOf<M> = { readonly [P in PathsOf<M>]: z.infer<SchemaOf<M, P>> }

/** A manifest whose checks see its own slices and those of `reads`, as their schemas give them. */
interface Declaration<
  C extends Schemas,
  R extends readonly WithConfig[],
  L extends string,
  N extends string,
> extends Omit<Manifest, 'config' | 'live' | 'migrations' | 'check' | 'look'> {
  readonly config?: C
  readonly migrations?: Readonly<Record<N, Migration>>
  /** Manifests of others whose slices `check` and `look` read. */
  readonly reads?: R
  readonly live?: readonly L[]
  readonly check?: (
    config: SlicesOf<{ readonly config: C } | R[number]>,
    report: ConfigReport,
    explicit: Explicit,
  ) => void
  readonly look?: (
    config: SlicesOf<{ readonly config: C } | R[number]>,
    place: StartPlace,
    report: StartReport,
  ) => Promise<void>
}

/** A manifest that keeps the types of its slices, for the configuration and for the manifests that read them. */
export interface Declared<C extends Schemas, L extends string, N extends string> extends Manifest {
  readonly config: C
  readonly live: readonly L[]
  readonly migrations: Readonly<Record<N, Migration>>
  readonly check: NonNullable<Manifest['check']>
}

/** A check that reads a key which no schema it declared has is a compile error. */
export function defineManifest<
  const C extends Schemas = Record<never, never>,
  const R extends readonly WithConfig[] = readonly [],
  const L extends keyof C & string = never,
  const N extends string = never,
>({ reads: _, check, look, ...rest }: Declaration<C, R, L, N>): Declared<C, L, N> {
  return {
    // As: where nothing is given, there are no keys.
    config: {} as C,
    migrations: {} as Readonly<Record<N, Migration>>,
    live: [],
    ...rest,
    // As: the loader hands every check the slices of all manifests, parsed by their schemas; these declared what they read.
    check: (check ?? (() => {})) as NonNullable<Manifest['check']>,
    ...(look !== undefined && { look: look as NonNullable<Manifest['look']> }),
  }
}
