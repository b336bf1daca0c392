import { listUsers, type UserRow } from '../features/users/operations.ts'
import { callOperation } from './call-operation.ts'
import { integer } from './integer.ts'
import type { Cli, Configure } from './invocation.ts'
import { formatTable } from './table.ts'

interface Options {
  readonly search?: string
  readonly group?: string
  readonly disabled?: true
  readonly after?: string
  readonly limit?: number
  readonly json?: true
}

export const configure: Configure = (command, cli) => {
  command
    .option('-s, --search <words>', 'beginnings of words of name, display name and mail address')
    .option('-g, --group <name>', 'members of this group alone')
    .option('--disabled', 'disabled users alone')
    .option('--after <name>', 'names that come after this one')
    .option('-n, --limit <number>', 'how many at most (default: 50)', integer(1, 1000))
    .option('--json', 'print JSON')
    .action(() => list(cli, command.opts<Options>()))
}

async function list(cli: Cli, { json, ...asked }: Options): Promise<void> {
  const page = await callOperation(cli, listUsers, asked)
  if (page === undefined) return
  if (json) cli.print(`${JSON.stringify(page, null, 2)}\n`)
  else if (page.users.length === 0) cli.print('There are no such users.\n')
  else {
    cli.print(formatTable(HEAD, page.users.map(cells)))
    if (page.next !== null) cli.complain(`There are more: --after ${page.next}\n`)
  }
}

const HEAD = ['NAME', 'DISPLAY NAME', 'MAIL', 'GROUPS', 'STATE', 'FACTORS', 'LAST SIGN-IN']

const cells = (row: UserRow): string[] => [
  ...[row.username, row.display_name, row.email, row.groups.join(' '), stateOf(row)],
  ...[row.factors.join(' '), row.last_sign_in ?? ''],
]

function stateOf({ disabled, expires_at: expires, must_change_password: must }: UserRow): string {
  if (disabled) return 'disabled'
  const until = expires === null ? [] : [`until ${expires}`]
  return [...until, ...(must ? ['must change password'] : [])].join(', ')
}
