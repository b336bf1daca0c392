import type { Readable, Writable } from 'node:stream'
import type { Command } from 'commander'
import type { AnyOperation } from '../kernel/operation.ts'
import type { Services, StoredServices } from '../operations.ts'

/** Everything a command may know of the process it runs in. */
export interface Invocation {
  /** What follows the program's name. */
  readonly argv: readonly string[]
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  /** A function, because merely naming a process's standard input opens it. */
  readonly stdin: () => Input
  readonly stdout: Output
  readonly stderr: Output
}

export type Input = Readable & {
  readonly isTTY?: boolean
  setRawMode?(mode: boolean): unknown
}
export type Output = Writable & { readonly isTTY?: boolean }

/** What src/operations.ts holds. */
export interface Operations {
  readonly operations: readonly AnyOperation<Services>[]
  /** Those that work on the database itself when no server runs. */
  readonly storedOperations: readonly AnyOperation<StoredServices>[]
}

/** An invocation, and what its command has to say to the process. */
export interface Cli extends Invocation {
  /** Configuration files and directories, in order; none: the embedded defaults. */
  configFiles(): readonly string[]
  /** The template filters that were asked for. */
  configFilters(): readonly string[]
  operations(): Promise<Operations>
  /** The whole command line, every command with its arguments and options. */
  commands(): Promise<Command>
  /** Sets the exit status; 0 unless a command does. */
  finish(status: number): void
  print(text: string): void
  /** For what is no answer: warnings, prompts, refusals. */
  complain(text: string): void
}

/** What a file in this folder exports: its arguments, options and action. */
export type Configure = (command: Command, cli: Cli) => void
