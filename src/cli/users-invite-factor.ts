import { inviteFactor } from '../features/second-factor/operations.ts'
import { callOperation } from './call-operation.ts'
import type { Configure } from './invocation.ts'

export const configure: Configure = (command, cli) => {
  command
    .argument('<name>', 'the user, as the user backend spells the name')
    .action(async (user: string) => {
      if ((await callOperation(cli, inviteFactor, { user })) === undefined) return
      cli.print(`${user} may enrol a first second factor.\n`)
    })
}
