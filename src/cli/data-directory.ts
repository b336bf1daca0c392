import { resolve } from 'node:path'
import { readConfig } from './config.ts'
import type { Cli } from './invocation.ts'

/** The data directory of the server that this command line is about; undefined when the configuration is faulty. */
export async function dataDirectoryOf(cli: Cli): Promise<string | undefined> {
  const config = await readConfig(cli)
  return config === undefined ? undefined : resolve(cli.cwd, config['data_directory'])
}
