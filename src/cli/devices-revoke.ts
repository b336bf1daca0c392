import { type RevokeDevicesArgs, revokedDevices } from '../control/bans.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { askStored } from './ask-stored.ts'
import type { Cli, Configure } from './invocation.ts'

export const configure: Configure = (command, cli) => {
  command
    .argument('[ids...]', 'known devices, by the id that `devices list` shows')
    .option('-u, --user <name>', 'every known device of this user')
    .action((ids: string[]) =>
      revoke(cli, argsOf(ids, command.opts<{ readonly user?: string }>().user)),
    )
}

function argsOf(ids: readonly string[], user: string | undefined): RevokeDevicesArgs {
  if (ids.length > 0 === (user !== undefined)) {
    throw new OperatorError('say which devices: ids, or --user <name>, and only one of these')
  }
  return user === undefined ? { ids: [...ids] } : { user }
}

async function revoke(cli: Cli, args: RevokeDevicesArgs): Promise<void> {
  const answer = await askStored(cli, 'devices.revoke', args)
  if (answer === undefined) return
  const done = revokedDevices.parse(answer)
  cli.print(`${done.revoked === 1 ? '1 device was' : `${done.revoked} devices were`} forgotten.\n`)
  if (done.unknown.length > 0)
    throw new OperatorError(`there is no device ${done.unknown.join(', ')}`)
}
