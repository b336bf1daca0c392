import { type BanRow, listBans } from '../features/throttle/operations.ts'
import { callOperation } from './call-operation.ts'
import type { Cli, Configure } from './invocation.ts'
import { moment } from './moment.ts'
import { printList } from './print-list.ts'

export const configure: Configure = (command, cli) => {
  command
    .option('--json', 'print JSON; times are milliseconds since 1970')
    .action(() => list(cli, command.opts<{ readonly json?: true }>().json))
}

async function list(cli: Cli, json: true | undefined): Promise<void> {
  const rows = await callOperation(cli, listBans, {})
  if (rows === undefined) return
  await printList(cli, rows, {
    json,
    none: 'There are no bans.',
    head: HEAD,
    cells: async () => cells,
  })
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
