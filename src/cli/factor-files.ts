/** What the commands of `storage user totp` and `storage user webauthn` share: the files they read and write. */
import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { FactorFile, Imported } from '../features/second-factor/index.ts'
import { createPrivateFile, replacePrivateFile } from '../files/atomic-write.ts'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import { printable } from '../kernel/printable.ts'
import type { Cli } from './invocation.ts'

/** The control socket takes twice as much: the entries are smaller than their YAML. */
const MAX_FILE = 8 * 1024 * 1024

/**
 * Writes a file that its owner alone may read.
 * @returns its absolute path
 * @throws OperatorError, also for a file that is there already, without `force`
 */
export function writeSecretFile(
  cli: Cli,
  name: string,
  content: string | Uint8Array,
  { force }: { readonly force: boolean },
): string {
  const path = resolve(cli.cwd, name)
  let written: 'created' | 'exists' = 'created'
  try {
    if (force) replacePrivateFile(path, content)
    else written = createPrivateFile(path, content)
  } catch (error) {
    throw new OperatorError(`${path} cannot be written (${systemCode(error)})`, undefined, {
      cause: error,
    })
  }
  if (written === 'exists')
    throw new OperatorError(`${path} exists already`, 'it was left alone; --force replaces it')
  return path
}

/**
 * Reads a file of factors, and says everything that is wrong with it.
 * @returns undefined when something is
 */
export async function readFactorFile<T>(
  cli: Cli,
  name: string,
  read: (text: string) => Promise<FactorFile<T>>,
): Promise<readonly T[] | undefined> {
  const file = await read(textOf(resolve(cli.cwd, name)))
  if (file.ok) return file.entries
  for (const { line, message } of file.faults)
    cli.complain(`${name}:${line}: ${printable(message)}\n`)
  cli.complain('Nothing was imported.\n')
  cli.finish(1)
  return undefined
}

function textOf(path: string): string {
  try {
    if (statSync(path).size > MAX_FILE) throw new OperatorError(`${path} is larger than 8 MiB`)
    return readFileSync(path, 'utf8')
  } catch (error) {
    if (error instanceof OperatorError) throw error
    throw new OperatorError(`${path} cannot be read (${systemCode(error)})`, undefined, {
      cause: error,
    })
  }
}

/** Milliseconds: some ten thousand entries, each written by itself. */
export const IMPORT_TIMEOUT = 300_000

export interface ImportOptions {
  readonly force?: boolean
  readonly dryRun?: boolean
}

/**
 * Says what an import will do, and then does it: what is refused is refused before the first line.
 * @param ask runs the operation
 */
export async function runImport(
  cli: Cli,
  what: string,
  { force = false, dryRun = false }: ImportOptions,
  ask: (wish: { force: boolean; dryRun: boolean }) => Promise<Imported | undefined>,
): Promise<void> {
  const plan = await ask({ force, dryRun: true })
  if (plan === undefined) return
  cli.print(`${what}: ${plan.added} will be added, ${plan.replaced} replaced.\n`)
  if (dryRun) return cli.print('Nothing was changed (--dry-run).\n')
  const done = await ask({ force, dryRun: false })
  if (done === undefined) return
  cli.print(`Imported: ${done.added} added, ${done.replaced} replaced.\n`)
}
