import { onIdentifiers, serviceOf } from './identifiers.ts'
import type { Configure } from './invocation.ts'
import { splitList } from './lists.ts'
import { formatTable } from './table.ts'

interface Options {
  readonly users: readonly string[]
  readonly sectors?: readonly string[]
  readonly services?: readonly string[]
}

export const configure: Configure = (command, cli) => {
  command
    .requiredOption('--users <names>', 'of these users: repeated, or separated by commas', listed)
    .option('--sectors <names>', 'for each of these sectors; without it for the empty one', listed)
    .option('--services <names>', 'for each of these services; without it for openid', listed)
    .action(() => {
      const { users, sectors = [''], services = ['openid'] } = command.opts<Options>()
      const owners = services
        .map(serviceOf)
        .flatMap((service) =>
          sectors.flatMap((sector) => users.map((user) => ({ service, sector, user }))),
        )
      return onIdentifiers(cli, async (identifiers) => {
        const rows: string[][] = []
        for (const owner of owners)
          rows.push([owner.service, owner.sector, owner.user, await identifiers.of(owner)])
        cli.print(formatTable(['SERVICE', 'SECTOR', 'USER', 'IDENTIFIER'], rows))
      })
    })
}

const listed = (text: string, before: readonly string[] = []): string[] => [
  ...before,
  ...splitList(text),
]
