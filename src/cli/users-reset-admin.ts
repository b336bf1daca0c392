import { resetAdmin } from '../features/users/operations.ts'
import { callOperation } from './call-operation.ts'
import type { Configure } from './invocation.ts'

export const configure: Configure = (command, cli) => {
  command.action(async () => {
    const answer = await callOperation(cli, resetAdmin, {})
    if (answer === undefined) return
    const { username, password, usable } = answer
    cli.print(`User: ${username}\nPassword: ${password}\n`)
    if (!usable)
      cli.complain(`${username} is disabled: vestibule users enable ${username} lets in again.\n`)
  })
}
