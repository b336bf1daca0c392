import { configSchema } from '../config/schema.ts'
import { features } from '../features.ts'
import type { Configure } from './invocation.ts'

export const configure: Configure = (command, cli) => {
  command.action(() => cli.print(`${JSON.stringify(configSchema(features), null, 2)}\n`))
}
