import { showUser } from '../features/users/operations.ts'
import { callOperation } from './call-operation.ts'
import type { Configure } from './invocation.ts'

export const configure: Configure = (command, cli) => {
  command
    .argument('<name>', 'the user, as the user backend spells the name')
    .action(async (username: string) => {
      const row = await callOperation(cli, showUser, { username })
      if (row !== undefined) cli.print(`${JSON.stringify(row, null, 2)}\n`)
    })
}
