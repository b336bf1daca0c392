import { type AddBanArgs, addedBan } from '../control/bans.ts'
import { parseDuration } from '../kernel/duration.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { askStored } from './ask-stored.ts'
import { subjectOf } from './banned.ts'
import type { Cli, Configure } from './invocation.ts'
import { moment } from './moment.ts'

interface Options {
  readonly user?: string
  readonly address?: string
  readonly duration: string
  readonly permanent?: true
  readonly reason: string
}

export const configure: Configure = (command, cli) => {
  command
    .option('-u, --user <name>', 'ban this user, as the users file spells the name')
    .option('-a, --address <ip>', 'ban this client address (IPv6: its /64)')
    .option('-d, --duration <time>', 'how long it lasts, such as 1h or 30d', '1 day')
    .option('-p, --permanent', 'it lasts until it is lifted')
    .option('-r, --reason <text>', 'why, for whoever reads the list', '')
    .action(() => add(cli, argsOf(command.opts<Options>())))
}

function argsOf({ duration, permanent, reason, ...who }: Options): AddBanArgs {
  const subject = subjectOf(who)
  if (subject === undefined) throw new OperatorError('say whom: --user <name> or --address <ip>')
  if (reason.length > 200) throw new OperatorError('the reason is longer than 200 characters')
  const length = permanent ? null : parseDuration(duration)
  if (length === undefined) {
    throw new OperatorError(
      `${JSON.stringify(duration)} is no duration`,
      'write 1h, 30 days, 2 weeks',
    )
  }
  return { ...subject, reason, duration: length }
}

async function add(cli: Cli, args: AddBanArgs): Promise<void> {
  const answer = await askStored(cli, 'bans.add', args)
  if (answer === undefined) return
  const { id, kind, name, expiresAt } = addedBan.parse(answer)
  const until = expiresAt === null ? 'until the ban is lifted' : `until ${moment(expiresAt)}`
  cli.print(`The ${kind} ${name} is banned ${until} (${id}).\n`)
}
