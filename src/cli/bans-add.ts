import { addBan } from '../features/throttle/operations.ts'
import { parseDuration } from '../kernel/duration.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { banTargetOf } from './ban-target.ts'
import { callOperation, type InputOf } from './call-operation.ts'
import type { Cli, Configure } from './invocation.ts'
import { moment } from './moment.ts'

type Input = InputOf<typeof addBan>

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
    .option('-r, --reason <text>', 'why, as the list says it', '')
    .action(() => add(cli, inputOf(command.opts<Options>())))
}

function inputOf({ duration, permanent, reason, ...who }: Options): Input {
  const target = banTargetOf(who)
  if (target === undefined) throw new OperatorError('say whom: --user <name> or --address <ip>')
  if (reason.length > 200) throw new OperatorError('the reason is longer than 200 characters')
  const length = permanent ? null : parseDuration(duration)
  if (length === undefined) {
    throw new OperatorError(
      `${JSON.stringify(duration)} is no duration`,
      'write 1h, 30 days, 2 weeks',
    )
  }
  return { ...target, reason, duration: length }
}

async function add(cli: Cli, input: Input): Promise<void> {
  const ban = await callOperation(cli, addBan, input)
  if (ban === undefined) return
  const { id, kind, name, expiresAt } = ban
  const until = expiresAt === null ? 'until the ban is lifted' : `until ${moment(expiresAt)}`
  cli.print(`The ${kind} ${name} is banned ${until} (${id}).\n`)
}
