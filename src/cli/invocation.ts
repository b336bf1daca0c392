import type { Readable, Writable } from 'node:stream'
import type { Command } from 'commander'

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

/** An invocation, and what its command has to say to the process. */
export interface Cli extends Invocation {
  /** Configuration files and directories, in order; none: the embedded defaults. */
  configFiles(): readonly string[]
  /** The template filters that were asked for. */
  configFilters(): readonly string[]
  /** The whole command line, every command with its arguments and options. */
  commands(): Promise<Command>
  /** Sets the exit status; 0 when nobody does. */
  finish(status: number): void
  print(text: string): void
  /** For what is no answer: warnings, prompts, refusals. */
  complain(text: string): void
}

/** What a file in this folder exports: its arguments, options and action. */
export type Configure = (command: Command, cli: Cli) => void
