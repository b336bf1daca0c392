import { addUser } from '../features/users/operations.ts'
import { callOperation } from './call-operation.ts'
import type { Cli, Configure } from './invocation.ts'
import { splitList } from './lists.ts'
import { readPassword } from './password-prompt.ts'

interface Options {
  readonly displayName?: string
  readonly email?: string
  readonly groups?: string
  readonly expires?: string
  readonly disabled?: true
  readonly mustChangePassword?: true
  readonly force?: true
  /** False: `--no-password`. */
  readonly password: boolean
}

export const configure: Configure = (command, cli) => {
  command
    .argument('<name>', 'the name the user signs in with')
    .option('-d, --display-name <text>', 'how pages call the user (default: the name)')
    .option('-e, --email <address>', 'the mail address')
    .option('-g, --groups <names>', 'groups, separated by commas')
    .option('--expires <moment>', 'from then on the user is let in no more: 2027-01-31T18:00:00Z')
    .option('--disabled', 'the user is not let in')
    .option('--must-change-password', 'the user sets another password at the first sign-in')
    .option('--force', 'do not ask the password policy')
    .option('--no-password', 'no password is right until one is set')
    .action((username: string) => add(cli, username, command.opts<Options>()))
}

/** The password comes from the prompt or a pipe: other users of the machine can see arguments. */
async function add(cli: Cli, username: string, options: Options): Promise<void> {
  const { displayName = username, email, groups, expires, disabled, mustChangePassword } = options
  const password = options.password ? await readPassword(cli) : undefined
  const added = await callOperation(cli, addUser, {
    ...{ username, display_name: displayName, password, email },
    ...(groups !== undefined && { groups: splitList(groups) }),
    ...(expires !== undefined && { expires_at: expires }),
    ...(disabled && { disabled }),
    ...(mustChangePassword && { must_change_password: true }),
    ...(options.force && { force: true }),
  })
  if (added !== undefined) cli.print(`${username} is added.\n`)
}
