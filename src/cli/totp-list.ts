import { listTotp } from '../features/second-factor/operations.ts'
import { callOperation } from './call-operation.ts'
import type { Configure } from './invocation.ts'
import { moment } from './moment.ts'
import { formatTable } from './table.ts'

const HEAD = ['USER', 'ISSUER', 'ALGORITHM', 'DIGITS', 'PERIOD', 'CREATED', 'LAST USED']

export const configure: Configure = (command, cli) => {
  command
    .option('--json', 'print JSON; times are milliseconds since 1970')
    .action(async ({ json }: { readonly json?: true }) => {
      const rows = await callOperation(cli, listTotp, {})
      if (rows === undefined) return
      if (json) return cli.print(`${JSON.stringify(rows, null, 2)}\n`)
      if (rows.length === 0) return cli.print('No user has one-time codes.\n')
      const cells = rows.map((row) => [
        ...[row.user, row.issuer, row.algorithm, String(row.digits), String(row.period)],
        moment(row.createdAt),
        row.lastUsedAt === null ? 'never' : moment(row.lastUsedAt),
      ])
      cli.print(formatTable(HEAD, cells))
    })
}
