/** What was read of another program's files. */
import type { ImportedUser } from '../features/users/index.ts'

/** Something that is wrong with a file: the import does not begin. */
export interface ImportFault {
  readonly source: string
  /** From 1; absent where the source has no lines. */
  readonly line?: number
  readonly message: string
}

/** Users with what they sign in with. */
export interface TakenUsers {
  readonly users: readonly ImportedUser[]
  /** Base32 secrets of one-time codes, by user. */
  readonly totp: ReadonlyMap<string, string>
  /** What is left behind, a sentence each. */
  readonly left: readonly ImportFault[]
  readonly faults: readonly ImportFault[]
}

export const sayFault = ({ source, line, message }: ImportFault): string =>
  line === undefined ? `${source}: ${message}` : `${source}:${line}: ${message}`
