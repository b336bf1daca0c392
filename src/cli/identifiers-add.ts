import { newIdentifier, parseIdentifier } from '../features/identifiers/index.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { onIdentifiers, serviceOf, serviceOption } from './identifiers.ts'
import type { Configure } from './invocation.ts'

interface Options {
  readonly identifier?: string
  readonly sector: string
  readonly service: string
}

export const configure: Configure = (command, cli) => {
  command
    .argument('<username>', 'as the users file writes it')
    .option('--identifier <uuid>', 'a random UUID (version 4); without it one is made')
    .option('--sector <name>', 'of which sector', '')
    .addOption(serviceOption())
    .action((user: string) => {
      const { identifier: given, sector, service } = command.opts<Options>()
      const identifier = given === undefined ? newIdentifier() : parseIdentifier(given)
      if (identifier === undefined)
        throw new OperatorError('--identifier: is no random UUID (version 4)')
      return onIdentifiers(cli, async (identifiers) => {
        await identifiers.add([{ service: serviceOf(service), sector, user, identifier }])
        cli.print(`${identifier}\n`)
      })
    })
}
