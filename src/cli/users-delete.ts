import { deleteUser } from '../features/users/operations.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { callOperation } from './call-operation.ts'
import type { Configure } from './invocation.ts'

export const configure: Configure = (command, cli) => {
  command
    .argument('<name>', 'the user, as the user backend spells the name')
    .option('-y, --yes', 'do it: this cannot be undone')
    .action(async (username: string) => {
      if (command.opts<{ readonly yes?: true }>().yes !== true)
        throw new OperatorError(
          `${username} would be deleted, with second factors and known devices`,
          'say --yes to do it, or disable the user instead',
        )
      if ((await callOperation(cli, deleteUser, { username })) === undefined) return
      cli.print(`${username} is deleted.\n`)
    })
}
