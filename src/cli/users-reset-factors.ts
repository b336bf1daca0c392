import { resetFactors } from '../features/second-factor/operations.ts'
import { callOperation } from './call-operation.ts'
import type { Configure } from './invocation.ts'

export const configure: Configure = (command, cli) => {
  command
    .argument('<name>', 'the user, as the user backend spells the name')
    .action(async (user: string) => {
      const done = await callOperation(cli, resetFactors, { user })
      if (done === undefined) return
      cli.print(
        done.removed === 0
          ? `there was no second factor of ${user}, who is signed out everywhere.\n`
          : `${user} has no second factor any more, and is signed out everywhere.\n`,
      )
    })
}
