import { migrationHistory } from '../storage/index.ts'
import { readConfig } from './config.ts'
import type { Configure } from './invocation.ts'
import { moment } from './moment.ts'
import { placesOf } from './storage.ts'
import { formatTable } from './table.ts'

export const configure: Configure = (command, cli) => {
  command.option('--json', 'print JSON; times are milliseconds since 1970').action(async () => {
    const config = await readConfig(cli)
    if (config === undefined) return
    const states = await migrationHistory(placesOf(cli, config).options)
    if (command.opts<{ json?: true }>().json) cli.print(`${JSON.stringify(states, null, 2)}\n`)
    else
      cli.print(
        formatTable(
          ['DATABASE', 'MIGRATION', 'APPLIED'],
          states.map(({ database, name, appliedAt, known }) => [
            database,
            name,
            (appliedAt === undefined ? 'no' : moment(appliedAt)) +
              (known ? '' : ' (by a newer version)'),
          ]),
        ),
      )
  })
}
