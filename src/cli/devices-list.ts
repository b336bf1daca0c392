import { type DeviceRow, listDevices } from '../features/throttle/operations.ts'
import { loadBrowserTexts } from './browser-text.ts'
import { callOperation } from './call-operation.ts'
import type { Cli, Configure } from './invocation.ts'
import { moment } from './moment.ts'
import { printList } from './print-list.ts'

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
  await printList(cli, rows, {
    json,
    none: 'There are no known devices.',
    head: HEAD,
    cells: loadCells,
  })
}

const HEAD = ['ID', 'USER', 'SINCE', 'LAST SIGN-IN', 'UNTIL', 'ADDRESS', 'BROWSER']

async function loadCells(): Promise<(row: DeviceRow) => string[]> {
  const browserOf = await loadBrowserTexts()
  return ({ id, user, address, userAgent, createdAt, lastSeen, expiresAt }) => {
    const times = [createdAt, lastSeen, expiresAt].map(moment)
    return [id, user, ...times, address, browserOf(userAgent)]
  }
}
