import { askServer } from '../control/client.ts'
import { type RevokeArgs, revoked } from '../control/sessions.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { dataDirectoryOf } from './data-directory.ts'
import type { Cli, Configure } from './invocation.ts'

interface Options {
  readonly user?: string
  readonly all?: true
}

export const configure: Configure = (command, cli) => {
  command
    .argument('[ids...]', 'sessions, by the id that `sessions list` shows')
    .option('-u, --user <name>', 'every session of this user')
    .option('--all', 'every session of everybody')
    .action((ids: string[]) => revoke(cli, argsOf(ids, command.opts<Options>())))
}

/** Exactly one of the three ways to say which. */
function argsOf(ids: readonly string[], { user, all }: Options): RevokeArgs {
  const ways = [ids.length > 0, user !== undefined, all === true].filter((given) => given).length
  if (ways !== 1) {
    throw new OperatorError(
      'say which sessions: ids, or --user <name>, or --all, and only one of these',
    )
  }
  if (user !== undefined) return { user }
  return all ? { all } : { ids: [...ids] }
}

async function revoke(cli: Cli, args: RevokeArgs): Promise<void> {
  const directory = await dataDirectoryOf(cli)
  if (directory === undefined) return
  const done = revoked.parse(await askServer(directory, 'sessions.revoke', args))
  cli.print(`${done.revoked === 1 ? '1 session was' : `${done.revoked} sessions were`} revoked.\n`)
  if (done.unknown.length === 0) return
  throw new OperatorError(
    done.unknown.length === 1
      ? `there is no session ${done.unknown[0]}`
      : `there are no sessions ${done.unknown.join(', ')}`,
  )
}
