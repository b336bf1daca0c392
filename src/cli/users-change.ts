/** The commands that change fields of a user: each is the operation `users.change`. */
import type { Command } from 'commander'
import { changeUser } from '../features/users/operations.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { callOperation, type InputOf } from './call-operation.ts'
import type { Cli, Configure } from './invocation.ts'
import { splitList } from './lists.ts'

type Fields = Omit<InputOf<typeof changeUser>, 'username'>

async function apply(cli: Cli, username: string, fields: Fields, done: string): Promise<void> {
  const row = await callOperation(cli, changeUser, { username, ...fields })
  if (row !== undefined) cli.print(`${username} ${done}.\n`)
}

const named = (command: Command): Command =>
  command.argument('<name>', 'the user, as the user backend spells the name')

export const disable: Configure = (command, cli) => {
  named(command).action((name: string) => apply(cli, name, { disabled: true }, 'is disabled'))
}

export const enable: Configure = (command, cli) => {
  named(command).action((name: string) => apply(cli, name, { disabled: false }, 'is enabled'))
}

export const expire: Configure = (command, cli) => {
  named(command)
    .argument('<moment>', 'such as 2027-01-31T18:00:00Z; never')
    .action((name: string, moment: string) =>
      apply(
        cli,
        name,
        { expires_at: moment === 'never' ? null : moment },
        moment === 'never' ? 'does not expire' : `expires at ${moment}`,
      ),
    )
}

export const groups: Configure = (command, cli) => {
  named(command)
    .argument('<groups>', 'all groups of the user, separated by commas; an empty text for none')
    .action((name: string, list: string) =>
      apply(cli, name, { groups: splitList(list) }, `is in: ${list === '' ? 'no group' : list}`),
    )
}

interface Options {
  readonly displayName?: string
  readonly email?: string
  readonly mustChangePassword?: true
}

export const change: Configure = (command, cli) => {
  named(command)
    .option('-d, --display-name <text>', 'how pages call the user')
    .option('-e, --email <address>', 'the mail address; an empty text for none')
    .option('--must-change-password', 'the user sets another password at the next sign-in')
    .action((name: string) => {
      const { displayName, email, mustChangePassword } = command.opts<Options>()
      const fields: Fields = {
        ...(displayName !== undefined && { display_name: displayName }),
        ...(email !== undefined && { email }),
        ...(mustChangePassword && { must_change_password: true }),
      }
      if (Object.keys(fields).length === 0) throw new OperatorError('say what is to change')
      return apply(cli, name, fields, 'is changed')
    })
}
