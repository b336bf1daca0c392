import { liftBans } from '../features/throttle/operations.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { banTargetOf } from './ban-target.ts'
import { callOperation, type InputOf } from './call-operation.ts'
import type { Cli, Configure } from './invocation.ts'

type Input = InputOf<typeof liftBans>

interface Options {
  readonly user?: string
  readonly address?: string
  readonly all?: true
}

export const configure: Configure = (command, cli) => {
  command
    .argument('[ids...]', 'bans, by the id that `bans list` shows')
    .option('-u, --user <name>', 'every ban of this user')
    .option('-a, --address <ip>', 'every ban of this client address')
    .option('--all', 'every ban')
    .action((ids: string[]) => lift(cli, inputOf(ids, command.opts<Options>())))
}

function inputOf(ids: readonly string[], { all, ...who }: Options): Input {
  const target = banTargetOf(who)
  const ways = [ids.length > 0, target !== undefined, all === true].filter((given) => given).length
  if (ways !== 1) {
    throw new OperatorError(
      'say which bans: ids, or --user, or --address, or --all, and only one of these',
    )
  }
  if (target !== undefined) return target
  return all ? { all } : { ids: [...ids] }
}

async function lift(cli: Cli, input: Input): Promise<void> {
  const done = await callOperation(cli, liftBans, input)
  if (done === undefined) return
  const count = done.lifted.length
  cli.print(`${count === 1 ? '1 ban was' : `${count} bans were`} lifted.\n`)
  if (done.unknown.length > 0) throw new OperatorError(`there is no ban ${done.unknown.join(', ')}`)
}
