/** A command in the list of all commands. */
import type { Configure } from './invocation.ts'

export interface Entry {
  readonly name: string
  /** Left out where the operation of this name has it. */
  readonly summary?: string
  readonly aliases?: readonly string[]
  /** The operation that it asks for, where its name is another one. */
  readonly operation?: string
  readonly load?: () => Promise<{ readonly configure: Configure }>
  readonly children?: readonly Entry[]
}
