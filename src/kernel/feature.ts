import type { Migration } from 'kysely/migration'
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

/** What a room declares before anything runs. A leaf: it imports the kernel and zod only. */
export interface Manifest {
  /**
   * Slices of the configuration by dotted path (`session`, `authentication_backend.file`). Claimed once; a slice may lie
   * inside another whose schema does not have that key itself.
   */
  readonly config?: Readonly<Record<string, z.ZodType>>
  /**
   * Checks that need more than one slice. Runs only when every slice parsed.
   * @param config the parsed slices by dotted path; `explicit` says whether the path was written down anywhere
   */
  readonly check?: (
    config: Readonly<Record<string, unknown>>,
    report: ConfigReport,
    explicit: (path: ConfigPath) => boolean,
  ) => void
  /** Migrations by name, `NNNN_what`; unique and in order over all rooms. */
  readonly migrations?: Readonly<Record<string, Migration>>
  /** Words by language and key; keys are `room.key`. */
  readonly messages?: Readonly<Record<string, Readonly<Record<string, string>>>>
}
