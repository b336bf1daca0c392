/** What the commands of `storage user totp export` share. */
import { type Command, Option } from 'commander'
import type { TotpEntry } from '../features/second-factor/index.ts'
import { exportTotp } from '../features/second-factor/operations.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { callOperation } from './call-operation.ts'
import { writeSecretFile } from './factor-files.ts'
import type { Cli } from './invocation.ts'

export const DEFAULT_TOTP_FILE = 'vestibule.export.totp.yml'
export const DEFAULT_CSV_FILE = 'vestibule.export.totp.csv'

export const userOption = (): Option => new Option('-u, --user <name>', 'of this user alone')
export const forceOption = (): Option =>
  new Option('--force', 'replace a file that is there already')

/** @returns undefined when the configuration is faulty, which has been said */
export async function entriesOf(
  cli: Cli,
  user: string | undefined,
): Promise<readonly TotpEntry[] | undefined> {
  const entries = await callOperation(cli, exportTotp, user === undefined ? {} : { user })
  if (entries?.length === 0)
    throw new OperatorError(
      user === undefined ? 'no user has one-time codes' : `${user} has no one-time codes`,
    )
  return entries
}

/** `export` takes options that stand behind `csv` too: they have the same names, and count for both. */
export const optionsOf = <T extends object>(command: Command): T => command.optsWithGlobals<T>()

interface Options {
  readonly file?: string
  readonly user?: string
  readonly force?: boolean
}

/** A command that writes all of them to one file. */
export function configureExport(
  command: Command,
  cli: Cli,
  {
    name,
    textOf,
  }: { readonly name: string; textOf(entries: readonly TotpEntry[]): Promise<string> },
): void {
  command
    .option('-f, --file <path>', `where to (default: ${name})`)
    .addOption(userOption())
    .addOption(forceOption())
    .action(async () => {
      const { file = name, user, force = false } = optionsOf<Options>(command)
      const entries = await entriesOf(cli, user)
      if (entries === undefined) return
      const path = writeSecretFile(cli, file, await textOf(entries), { force })
      cli.print(`${countOf(entries.length)} in ${path}, with their secrets.\n`)
    })
}

const countOf = (count: number): string =>
  count === 1 ? 'The one-time codes of 1 user are' : `The one-time codes of ${count} users are`
