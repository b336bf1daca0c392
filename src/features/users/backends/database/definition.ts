import type { ConfigPath } from '../../../../kernel/feature.ts'
import { defineBackend } from '../../definition.ts'
import { checkPassword } from '../../hashing-check.ts'
import { DatabaseConfig } from './config.ts'

/** What is checked of passwords names the section of the file. */
const here = (path: ConfigPath): ConfigPath =>
  path[1] === 'file' ? ['authentication_backend', 'database', ...path.slice(2)] : path

/** Users in the database that the configuration names. */
export const database = defineBackend({
  key: 'authentication_backend.database',
  schema: DatabaseConfig,
  check: ({ password }, report, explicit) =>
    checkPassword(
      password,
      {
        fault: (path, ...more) => report.fault(here(path), ...more),
        warn: (path, message) => report.warn(here(path), message),
      },
      (path) => explicit(here(path)),
    ),
  async open({ search }, { storage, separator, clock, log }) {
    const { openDatabaseUsers } = await import('./open.ts')
    const { email, case_insensitive: caseInsensitive } = search
    return openDatabaseUsers({ storage, email, caseInsensitive, separator, clock, log })
  },
})
