import { type AuditRow, auditRows, type ListAuditArgs, MAX_AUDIT_ROWS } from '../control/audit.ts'
import { systemClock } from '../kernel/clock.ts'
import { parseDuration } from '../kernel/duration.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { askStored } from './ask-stored.ts'
import { loadBrowserTexts } from './browser-text.ts'
import { integer } from './integer.ts'
import type { Cli, Configure } from './invocation.ts'
import { splitList } from './lists.ts'
import { moment } from './moment.ts'
import { formatTable } from './table.ts'

interface Options {
  readonly user?: string
  readonly event?: string
  readonly since?: string
  readonly limit: number
  readonly json?: true
}

export const configure: Configure = (command, cli) => {
  command
    .option('-u, --user <name>', 'about this user only')
    .option('-e, --event <names>', 'these events only, separated by commas, such as login.failed')
    .option('-s, --since <time>', 'not older than this, such as 2h or 7d')
    .option(
      '-n, --limit <number>',
      'how many at most, newest first',
      integer(1, MAX_AUDIT_ROWS),
      50,
    )
    .option('--json', 'print JSON; times are milliseconds since 1970')
    .action(() => list(cli, command.opts<Options>()))
}

async function list(cli: Cli, options: Options): Promise<void> {
  const answer = await askStored(cli, 'audit.list', argsOf(options))
  if (answer === undefined) return
  const rows = auditRows.parse(answer)
  if (options.json) cli.print(`${JSON.stringify(rows, null, 2)}\n`)
  else if (rows.length === 0) cli.print('There are no such events.\n')
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

function argsOf({ user, event, since, limit }: Options): ListAuditArgs {
  const span = since === undefined ? undefined : parseDuration(since)
  if (since !== undefined && span === undefined)
    throw new OperatorError(`${JSON.stringify(since)} is no duration`, 'write 2h, 7 days, 2 weeks')
  return {
    limit,
    ...(user !== undefined && { user }),
    ...(event !== undefined && { events: splitList(event) }),
    ...(span !== undefined && { since: systemClock.now() - span }),
  }
}

const HEAD = ['TIME', 'EVENT', 'USER', 'BY', 'ADDRESS', 'BROWSER', 'DETAILS']

function cells(row: AuditRow, browserOf: (userAgent: string) => string): string[] {
  const { time, name, user, actor, address, userAgent, details } = row
  const said = Object.entries(details).map(([key, value]) => `${key}=${value}`)
  return [
    moment(time),
    name,
    user,
    actor,
    address,
    userAgent === '' ? '' : browserOf(userAgent),
    said.join(' '),
  ]
}
