import { totpFileText } from '../features/second-factor/index.ts'
import type { Configure } from './invocation.ts'
import { configureExport, DEFAULT_TOTP_FILE } from './totp-exports.ts'

export const configure: Configure = (command, cli) => {
  configureExport(command, cli, { name: DEFAULT_TOTP_FILE, textOf: totpFileText })
}
