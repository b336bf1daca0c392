import { join, resolve } from 'node:path'
import { type Moved, moveUsersBetween } from '../features/users/index.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import type { Cli, Configure } from './invocation.ts'
import { onStorage } from './storage.ts'

interface Options {
  readonly from: string
  readonly to: string
  readonly apply?: true
  readonly force?: true
}

const BACKENDS = ['file', 'database'] as const
type Backend = (typeof BACKENDS)[number]

export const configure: Configure = (command, cli) => {
  command
    .requiredOption('--from <backend>', 'where users are: file or database')
    .requiredOption('--to <backend>', 'where they are copied: file or database')
    .option('--apply', 'write; without it nothing is changed')
    .option('--force', 'replace users of the same name')
    .action(() => migrate(cli, command.opts<Options>()))
}

async function migrate(cli: Cli, options: Options): Promise<void> {
  const { apply = false, force = false } = options
  const from = backendOf(options.from)
  const to = backendOf(options.to)
  if (from === to) throw new OperatorError('--from and --to are the same')
  await onStorage(cli, { alone: true }, async ({ config, data, storage }) => {
    const place = {
      resolve: (path: string) => resolve(cli.cwd, path),
      inDataDirectory: (name: string) => join(data.path, name),
    }
    const separator = config['identity_headers'].separator
    const move = (dryRun: boolean) =>
      moveUsersBetween({ config, place, separator, storage, from, to, force, dryRun })
    const planned = await move(true)
    if (planned.faults.length > 0) refuse(cli, planned, 'nothing was written')
    if (!apply) {
      cli.print(`${summaryOf(planned)} would be written into the ${to}: --apply does it.\n`)
      return
    }
    const moved = await move(false)
    cli.print(
      `${summaryOf(moved)} written into the ${to}; the ${from} is as it was.\n` +
        `Now configure authentication_backend.${to} in place of authentication_backend.${from}.\n` +
        'Passwords, second factors and known devices stay. Sessions end at the next start.\n',
    )
    if (moved.faults.length > 0) refuse(cli, moved, 'the others were written')
  })
}

function backendOf(text: string): Backend {
  const found = BACKENDS.find((name) => name === text)
  if (found === undefined)
    throw new OperatorError(`there is no backend ${text}`, BACKENDS.join(', '))
  return found
}

const summaryOf = ({ added, replaced }: Moved): string =>
  `${added.length} new users and ${replaced.length} replaced`

function refuse(cli: Cli, { faults }: Moved, rest: string): never {
  for (const { name, problem } of faults) cli.complain(`${name}: ${problem}\n`)
  throw new OperatorError(
    `${faults.length} users cannot be carried over; ${rest}`,
    '--force replaces users of the same name',
  )
}
