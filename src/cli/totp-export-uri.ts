import { totpUrl } from '../features/second-factor/index.ts'
import type { Configure } from './invocation.ts'
import { entriesOf, optionsOf, userOption } from './totp-exports.ts'

export const configure: Configure = (command, cli) => {
  command.addOption(userOption()).action(async () => {
    const { user } = optionsOf<{ readonly user?: string }>(command)
    for (const entry of (await entriesOf(cli, user)) ?? []) cli.print(`${await totpUrl(entry)}\n`)
  })
}
