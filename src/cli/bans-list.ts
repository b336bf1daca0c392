import { type BanRow, listBans } from '../features/throttle/operations.ts'
import { callOperation } from './call-operation.ts'
import type { Cli, Configure } from './invocation.ts'
import { moment } from './moment.ts'
import { formatTable } from './table.ts'

export const configure: Configure = (command, cli) => {
  command
    .option('--json', 'print JSON; times are milliseconds since 1970')
    .action(() => list(cli, command.opts<{ readonly json?: true }>().json === true))
}

async function list(cli: Cli, json: boolean): Promise<void> {
  const rows = await callOperation(cli, listBans, {})
  if (rows === undefined) return
  if (json) cli.print(`${JSON.stringify(rows, null, 2)}\n`)
  else if (rows.length === 0) cli.print('There are no bans.\n')
  else cli.print(formatTable(HEAD, rows.map(cells)))
}

const HEAD = ['ID', 'WHAT', 'WHO', 'SINCE', 'UNTIL', 'BY', 'REASON']

const cells = ({ id, kind, name, createdAt, expiresAt, source, by, reason }: BanRow): string[] => [
  id,
  kind,
  name,
  moment(createdAt),
  expiresAt === null ? 'permanent' : moment(expiresAt),
  source === 'regulation' ? 'regulation' : by === '' ? 'operator' : by,
  reason,
]
