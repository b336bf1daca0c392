import { keyFileText } from '../features/second-factor/index.ts'
import { exportKeys } from '../features/second-factor/operations.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { callOperation } from './call-operation.ts'
import { writeSecretFile } from './factor-files.ts'
import type { Configure } from './invocation.ts'
import { forceOption, userOption } from './totp-exports.ts'

export const DEFAULT_FILE = 'vestibule.export.webauthn.yml'

interface Options {
  readonly file: string
  readonly user?: string
  readonly force?: boolean
}

export const configure: Configure = (command, cli) => {
  command
    .option('-f, --file <path>', 'where to', DEFAULT_FILE)
    .addOption(userOption())
    .addOption(forceOption())
    .action(async ({ file, user, force = false }: Options) => {
      const entries = await callOperation(cli, exportKeys, user === undefined ? {} : { user })
      if (entries === undefined) return
      if (entries.length === 0)
        throw new OperatorError(
          user === undefined ? 'no user has a security key' : `${user} has no security key`,
        )
      const path = writeSecretFile(cli, file, await keyFileText(entries), { force })
      cli.print(`${entries.length === 1 ? '1 key is' : `${entries.length} keys are`} in ${path}.\n`)
    })
}
