import { setPassword } from '../features/users/operations.ts'
import { callOperation } from './call-operation.ts'
import type { Configure } from './invocation.ts'
import { readPassword } from './password-prompt.ts'

interface Options {
  readonly mustChange?: true
  readonly force?: true
}

export const configure: Configure = (command, cli) => {
  command
    .argument('<name>', 'the user, as the user backend spells the name')
    .option('--must-change', 'the user sets another password at the next sign-in')
    .option('--force', 'do not ask the password policy')
    .action(async (username: string) => {
      const { mustChange = false, force = false } = command.opts<Options>()
      const password = await readPassword(cli)
      const asked = { username, password, must_change_password: mustChange, force }
      if ((await callOperation(cli, setPassword, asked)) === undefined) return
      cli.print(`${username} has a new password, and no session any more.\n`)
    })
}
