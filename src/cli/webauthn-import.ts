import { isOfferedKey, readKeyFile } from '../features/second-factor/index.ts'
import { importKeys } from '../features/second-factor/operations.ts'
import { callOperation } from './call-operation.ts'
import { IMPORT_TIMEOUT, type ImportOptions, readFactorFile, runImport } from './factor-files.ts'
import type { Configure } from './invocation.ts'

export const configure: Configure = (command, cli) => {
  command
    .argument('<filename>', 'as export writes it, or as Authelia does')
    .option('-f, --force', 'replace keys that are there already')
    .option('--dry-run', 'say what would happen, and change nothing')
    .action(async (name: string, options: ImportOptions) => {
      const entries = await readFactorFile(cli, name, (text) => readKeyFile(text, isOfferedKey))
      if (entries === undefined) return
      await runImport(cli, 'Security keys', options, (wish) =>
        callOperation(
          cli,
          importKeys,
          { entries: [...entries], ...wish },
          { timeout: IMPORT_TIMEOUT },
        ),
      )
    })
}
