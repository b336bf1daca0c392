import { formatFaults, type LoadOptions, loadConfig } from '../config/index.ts'
import { type FileDirectory, readDirectory, usersFileOf } from '../features/users/index.ts'
import { type Config, features } from '../features.ts'
import type { Cli } from './invocation.ts'

type Also = LoadOptions<typeof features>['also']

export function load(cli: Cli, also?: Also) {
  return loadConfig({
    files: cli.configFiles(),
    env: cli.env,
    features,
    cwd: cli.cwd,
    filters: cli.configFilters(),
    ...(also !== undefined && { also }),
  })
}

/** The configuration for a command that needs it; when it is faulty, says why and returns undefined. */
export async function readConfig(cli: Cli): Promise<Config | undefined> {
  const loaded = await load(cli)
  if (loaded.ok) return loaded.config
  cli.complain(`${formatFaults(loaded.faults)}\n`)
  cli.finish(1)
  return undefined
}

/** Who is in the users file that the configuration names; undefined when that cannot be read. */
export function readUsersOf(cli: Cli, config: Config): Promise<FileDirectory | undefined> {
  const file = config['authentication_backend.file']
  const path = usersFileOf(file.path, config['data_directory'], cli.cwd)
  return readDirectory(path, file, config['identity_headers'].separator)
}

/** What was read, for a sentence. */
export function describeFiles(cli: Cli): string {
  const files = cli.configFiles()
  return files.length === 0
    ? 'the embedded defaults (there is no configuration file)'
    : files.join(', ')
}
