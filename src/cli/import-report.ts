/** What the commands of `import` share. */
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Command } from 'commander'
import { type ImportFault, sayFault } from '../import/taken.ts'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import { printable } from '../kernel/printable.ts'
import type { Cli } from './invocation.ts'

/** As large as a users file may be. */
const MAX_FILE = 64 * 1024 * 1024

export interface ImportWish {
  readonly apply?: true
  readonly force?: true
}

export const wishOptions = (command: Command): Command =>
  command
    .option('--apply', 'write it; without this nothing is changed')
    .option('--force', 'also over what is there already')

export function textOf(cli: Cli, name: string): string {
  const path = resolve(cli.cwd, name)
  try {
    if (statSync(path).size > MAX_FILE) throw new OperatorError(`${path} is larger than 64 MiB`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof OperatorError) throw error
    throw new OperatorError(`${path} cannot be read (${systemCode(error)})`, undefined, {
      cause: error,
    })
  }
}

/** Says everything that is wrong. @returns whether anything is */
export function refuseFaults(cli: Cli, faults: readonly (ImportFault | string)[]): boolean {
  if (faults.length === 0) return false
  for (const fault of faults)
    cli.complain(`${printable(typeof fault === 'string' ? fault : sayFault(fault))}\n`)
  cli.complain('Nothing was imported.\n')
  cli.finish(1)
  return true
}

export function sayLeft(cli: Cli, left: readonly (ImportFault | string)[]): void {
  if (left.length === 0) return
  cli.print('Not taken over, or with another meaning here:\n')
  for (const one of left)
    cli.print(`  ${printable(typeof one === 'string' ? one : sayFault(one))}\n`)
}

export const counted = (number: number, one: string, many = `${one}s`): string =>
  `${number} ${number === 1 ? one : many}`
