import type { Configure } from './invocation.ts'
import { version } from './version.ts'

export const configure: Configure = (command, cli) => {
  command.action(() => cli.print(`vestibule ${version()}\n`))
}
