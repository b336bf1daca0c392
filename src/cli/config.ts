import { formatFaults, loadConfig } from '../config/index.ts'
import { type Config, features } from '../features.ts'
import type { Cli } from './invocation.ts'

export function load(cli: Cli) {
  return loadConfig({
    files: cli.configFiles(),
    env: cli.env,
    features,
    cwd: cli.cwd,
    filters: cli.configFilters(),
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

/** What was read, for a sentence. */
export function describeFiles(cli: Cli): string {
  const files = cli.configFiles()
  return files.length === 0
    ? 'the embedded defaults (there is no configuration file)'
    : files.join(', ')
}
