import { listSessions, type SessionRow } from '../features/sessions/operations.ts'
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
  const rows = await callOperation(cli, listSessions, user === undefined ? {} : { user })
  if (rows === undefined) return
  if (json) cli.print(`${JSON.stringify(rows, null, 2)}\n`)
  else if (rows.length === 0) cli.print('There are no sessions.\n')
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

const HEAD = ['ID', 'USER', 'SIGNED IN', 'LAST SEEN', 'EXPIRES', 'ADDRESS', 'DOMAIN', 'BROWSER']

function cells(row: SessionRow, browserOf: (userAgent: string) => string): string[] {
  const expires = row.remembered ? `${moment(row.expiresAt)} (remembered)` : moment(row.expiresAt)
  const { id, user, address, domain, userAgent } = row
  return [
    id,
    user,
    moment(row.createdAt),
    moment(row.lastSeen),
    expires,
    address,
    domain,
    browserOf(userAgent),
  ]
}
