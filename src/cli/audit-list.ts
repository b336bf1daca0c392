import { type AuditRow, listAudit, MAX_AUDIT_ROWS } from '../features/audit/operations.ts'
import { systemClock } from '../kernel/clock.ts'
import { parseDuration } from '../kernel/duration.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { loadBrowserTexts } from './browser-text.ts'
import { callOperation, type InputOf } from './call-operation.ts'
import { integer } from './integer.ts'
import type { Cli, Configure } from './invocation.ts'
import { splitList } from './lists.ts'
import { moment } from './moment.ts'
import { printList } from './print-list.ts'

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
  const rows = await callOperation(cli, listAudit, inputOf(options))
  if (rows === undefined) return
  await printList(cli, rows, {
    json: options.json,
    none: 'There are no such events.',
    head: HEAD,
    cells: loadCells,
  })
}

function inputOf({ user, event, since, limit }: Options): InputOf<typeof listAudit> {
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

async function loadCells(): Promise<(row: AuditRow) => string[]> {
  const browserOf = await loadBrowserTexts()
  return ({ time, name, user, actor, address, userAgent, details }) => {
    const said = Object.entries(details).map(([key, value]) => `${key}=${value}`)
    const browser = userAgent === '' ? '' : browserOf(userAgent)
    return [moment(time), name, user, actor, address, browser, said.join(' ')]
  }
}
