import { mkdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { totpUrl } from '../features/second-factor/index.ts'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import { writeSecretFile } from './factor-files.ts'
import type { Configure } from './invocation.ts'
import { qrFile } from './qr-code.ts'
import { entriesOf, forceOption, optionsOf, userOption } from './totp-exports.ts'

interface Options {
  readonly directory?: string
  readonly user?: string
  readonly force?: boolean
}

export const configure: Configure = (command, cli) => {
  command
    .option('--directory <path>', 'where to; made when it is missing (default: here)')
    .addOption(userOption())
    .addOption(forceOption())
    .action(async () => {
      const { directory = '.', user, force = false } = optionsOf<Options>(command)
      const entries = await entriesOf(cli, user)
      if (entries === undefined) return
      const folder = resolve(cli.cwd, directory)
      make(folder)
      for (const entry of entries) {
        // A name is a user's, and may hold what leads out of the directory.
        const path = join(folder, `${encodeURIComponent(entry.user).replace(/^\./, '%2E')}.png`)
        const image = await qrFile(await totpUrl(entry), path)
        cli.print(`${writeSecretFile(cli, path, image, { force })}\n`)
      }
    })
}

function make(folder: string): void {
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  } catch (error) {
    throw new OperatorError(`${folder} cannot be made (${systemCode(error)})`, undefined, {
      cause: error,
    })
  }
}
