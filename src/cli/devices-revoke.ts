import { revokeDevices } from '../features/throttle/operations.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { callOperation, type InputOf } from './call-operation.ts'
import type { Cli, Configure } from './invocation.ts'

type Input = InputOf<typeof revokeDevices>

export const configure: Configure = (command, cli) => {
  command
    .argument('[ids...]', 'known devices, by the id that `devices list` shows')
    .option('-u, --user <name>', 'every known device of this user')
    .action((ids: string[]) =>
      revoke(cli, inputOf(ids, command.opts<{ readonly user?: string }>().user)),
    )
}

function inputOf(ids: readonly string[], user: string | undefined): Input {
  if (ids.length > 0 === (user !== undefined)) {
    throw new OperatorError('say which devices: ids, or --user <name>, and only one of these')
  }
  return user === undefined ? { ids: [...ids] } : { user }
}

async function revoke(cli: Cli, input: Input): Promise<void> {
  const done = await callOperation(cli, revokeDevices, input)
  if (done === undefined) return
  cli.print(`${done.revoked === 1 ? '1 device was' : `${done.revoked} devices were`} forgotten.\n`)
  if (done.unknown.length > 0)
    throw new OperatorError(`there is no device ${done.unknown.join(', ')}`)
}
