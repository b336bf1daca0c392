import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { readIdentifiers } from '../features/identifiers/index.ts'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import { onIdentifiers } from './identifiers.ts'
import type { Configure } from './invocation.ts'

export const configure: Configure = (command, cli) => {
  command.argument('<file>', 'as export writes it, or as Authelia does').action((file: string) =>
    onIdentifiers(cli, async (identifiers) => {
      const read = await readIdentifiers(textOf(resolve(cli.cwd, file)))
      const added = await identifiers.add(read)
      cli.print(`${added} of ${read.length} identifiers are new and were added.\n`)
    }),
  )
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new OperatorError(`${path} cannot be read (${systemCode(error)})`, undefined, {
      cause: error,
    })
  }
}
