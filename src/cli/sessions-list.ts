import { listSessions, type SessionRow } from '../features/sessions/operations.ts'
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
  const rows = await callOperation(cli, listSessions, user === undefined ? {} : { user })
  if (rows === undefined) return
  await printList(cli, rows, { json, none: 'There are no sessions.', head: HEAD, cells: loadCells })
}

const HEAD = ['ID', 'USER', 'SIGNED IN', 'LAST SEEN', 'EXPIRES', 'ADDRESS', 'DOMAIN', 'BROWSER']

async function loadCells(): Promise<(row: SessionRow) => string[]> {
  const browserOf = await loadBrowserTexts()
  return ({ id, user, address, domain, userAgent, ...row }) => {
    const [since = '', seen = '', until = ''] = [row.createdAt, row.lastSeen, row.expiresAt].map(
      moment,
    )
    const expires = row.remembered ? `${until} (remembered)` : until
    return [id, user, since, seen, expires, address, domain, browserOf(userAgent)]
  }
}
