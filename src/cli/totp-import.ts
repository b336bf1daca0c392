import { readTotpFile } from '../features/second-factor/index.ts'
import { importTotp } from '../features/second-factor/operations.ts'
import { callOperation } from './call-operation.ts'
import { IMPORT_TIMEOUT, type ImportOptions, readFactorFile, runImport } from './factor-files.ts'
import type { Configure } from './invocation.ts'

export const configure: Configure = (command, cli) => {
  command
    .argument('<filename>', 'as export writes it, or as Authelia does')
    .option('-f, --force', 'replace the one-time codes of users who have some')
    .option('--dry-run', 'say what would happen, and change nothing')
    .action(async (name: string, options: ImportOptions) => {
      const entries = await readFactorFile(cli, name, readTotpFile)
      if (entries === undefined) return
      await runImport(cli, 'One-time codes', options, (wish) =>
        callOperation(
          cli,
          importTotp,
          { entries: [...entries], ...wish },
          { timeout: IMPORT_TIMEOUT },
        ),
      )
    })
}
