import { type DeviceRow, listDevices } from '../features/throttle/operations.ts'
import { loadBrowserTexts } from './browser-text.ts'
import { callOperation } from './call-operation.ts'
import type { Cli, Configure } from './invocation.ts'
import { moment } from './moment.ts'
import { formatTable } from './table.ts'

interface Options {
  readonly user?: string
  readonly json?: true
}

export const configure: Configure = (command, cli) => {
  command
    .option('-u, --user <name>', 'of this user only')
    .option('--json', 'print JSON; times are milliseconds since 1970')
    .action(() => list(cli, command.opts<Options>()))
}

async function list(cli: Cli, { user, json }: Options): Promise<void> {
  const rows = await callOperation(cli, listDevices, user === undefined ? {} : { user })
  if (rows === undefined) return
  if (json) cli.print(`${JSON.stringify(rows, null, 2)}\n`)
  else if (rows.length === 0) cli.print('There are no known devices.\n')
  else {
    const browserOf = await loadBrowserTexts()
    cli.print(
      formatTable(
        HEAD,
        rows.map((row) => cells(row, browserOf)),
      ),
    )
  }
}

const HEAD = ['ID', 'USER', 'SINCE', 'LAST SIGN-IN', 'UNTIL', 'ADDRESS', 'BROWSER']

function cells(row: DeviceRow, browserOf: (userAgent: string) => string): string[] {
  const { id, user, address, userAgent } = row
  const times = [row.createdAt, row.lastSeen, row.expiresAt].map(moment)
  return [id, user, ...times, address, browserOf(userAgent)]
}
