import { deleteTotp } from '../features/second-factor/operations.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { callOperation } from './call-operation.ts'
import type { Configure } from './invocation.ts'

export const configure: Configure = (command, cli) => {
  command
    .argument('<username>', 'as the user backend spells the name')
    .action(async (user: string) => {
      const done = await callOperation(cli, deleteTotp, { user })
      if (done === undefined) return
      if (!done.removed) throw new OperatorError(`${user} has no one-time codes`)
      cli.print(`The one-time codes of ${user} were removed.\n`)
    })
}
