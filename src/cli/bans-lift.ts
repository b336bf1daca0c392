import { type LiftArgs, lifted } from '../control/bans.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { askStored } from './ask-stored.ts'
import { subjectOf } from './banned.ts'
import type { Cli, Configure } from './invocation.ts'

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
    .action((ids: string[]) => lift(cli, argsOf(ids, command.opts<Options>())))
}

function argsOf(ids: readonly string[], { all, ...who }: Options): LiftArgs {
  const subject = subjectOf(who)
  const ways = [ids.length > 0, subject !== undefined, all === true].filter((given) => given).length
  if (ways !== 1) {
    throw new OperatorError(
      'say which bans: ids, or --user, or --address, or --all, and only one of these',
    )
  }
  if (subject !== undefined) return subject
  return all ? { all } : { ids: [...ids] }
}

async function lift(cli: Cli, args: LiftArgs): Promise<void> {
  const answer = await askStored(cli, 'bans.lift', args)
  if (answer === undefined) return
  const done = lifted.parse(answer)
  const count = done.lifted.length
  cli.print(`${count === 1 ? '1 ban was' : `${count} bans were`} lifted.\n`)
  if (done.unknown.length > 0) throw new OperatorError(`there is no ban ${done.unknown.join(', ')}`)
}
