import { listKeys } from '../features/second-factor/operations.ts'
import { callOperation } from './call-operation.ts'
import type { Configure } from './invocation.ts'
import { moment } from './moment.ts'
import { formatTable } from './table.ts'

const HEAD = ['USER', 'DESCRIPTION', 'RPID', 'KID', 'SIGN COUNT', 'CLONED', 'CREATED', 'LAST USED']

export const configure: Configure = (command, cli) => {
  command
    .argument('[username]', 'of this user alone')
    .option('--json', 'print JSON; times are milliseconds since 1970')
    .action(async (user: string | undefined, { json }: { readonly json?: true }) => {
      const rows = await callOperation(cli, listKeys, user === undefined ? {} : { user })
      if (rows === undefined) return
      if (json) return cli.print(`${JSON.stringify(rows, null, 2)}\n`)
      if (rows.length === 0)
        return cli.print(
          user === undefined ? 'No user has a security key.\n' : `${user} has no security key.\n`,
        )
      const cells = rows.map((row) => [
        ...[row.user, row.name, row.rpId, row.keyId, String(row.signCount)],
        row.cloneWarning ? 'yes' : 'no',
        moment(row.createdAt),
        row.lastUsedAt === null ? 'never' : moment(row.lastUsedAt),
      ])
      cli.print(formatTable(HEAD, cells))
    })
}
