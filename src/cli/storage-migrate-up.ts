import type { Configure } from './invocation.ts'
import { onStorage } from './storage.ts'

export const configure: Configure = (command, cli) => {
  command.action(() =>
    // Opening the databases migrates them, and says each migration.
    onStorage(cli, { alone: true, asItIs: false }, async () => {
      cli.print('The database is up to date.\n')
    }),
  )
}
