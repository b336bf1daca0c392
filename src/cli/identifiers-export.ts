import { resolve } from 'node:path'
import { identifiersYaml } from '../features/identifiers/index.ts'
import { createPrivateFile } from '../files/atomic-write.ts'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import { DEFAULT_FILE, onIdentifiers } from './identifiers.ts'
import type { Configure } from './invocation.ts'

export const configure: Configure = (command, cli) => {
  command
    .option('-f, --file <path>', 'where to; a file that exists is left alone', DEFAULT_FILE)
    .action(() =>
      onIdentifiers(cli, async (identifiers) => {
        const path = resolve(cli.cwd, command.opts<{ file: string }>().file)
        const all = await identifiers.list()
        const text = await identifiersYaml(all)
        if (store(path, text) === 'exists')
          throw new OperatorError(`${path} exists already and was left alone`)
        cli.print(`${all.length} identifiers are in ${path}.\n`)
      }),
    )
}

function store(path: string, text: string): 'created' | 'exists' {
  try {
    return createPrivateFile(path, text)
  } catch (error) {
    throw new OperatorError(`${path} cannot be written (${systemCode(error)})`, undefined, {
      cause: error,
    })
  }
}
