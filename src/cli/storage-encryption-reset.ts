import { discardSealed } from '../storage/index.ts'
import type { Configure } from './invocation.ts'
import { onStorage, refuseOthers } from './storage.ts'

export const configure: Configure = (command, cli) => {
  command
    .requiredOption('--discard', 'yes, remove every row that was sealed with the lost key')
    .action(() =>
      onStorage(cli, { alone: true }, async ({ storage, encryption }) => {
        await refuseOthers(storage)
        const rows = await discardSealed(encryption)
        cli.print(
          `${rows} sealed rows were removed. The next start makes a key, or takes storage.encryption_key.\n`,
        )
      }),
    )
}
