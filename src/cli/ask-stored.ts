import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { auditCommands } from '../control/audit.ts'
import { banCommands, deviceCommands } from '../control/bans.ts'
import { askServer } from '../control/client.ts'
import type { Config } from '../features.ts'
import { systemClock } from '../kernel/clock.ts'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import { readConfig } from './config.ts'
import type { Cli } from './invocation.ts'

/**
 * Asks the running server about bans, known devices or the audit trail, or their database itself when no server runs:
 * an operator who is locked out need not start one first.
 * @returns undefined when the configuration is faulty, which has been said
 */
export async function askStored(cli: Cli, command: string, args: unknown): Promise<unknown> {
  const config = await readConfig(cli)
  if (config === undefined) return undefined
  const directory = resolve(cli.cwd, config['data_directory'])
  try {
    return await askServer(directory, command, args)
  } catch (error) {
    if (!isNotRunning(error)) throw error
    return await askDatabase(config, directory, cli, command, args, error)
  }
}

const isNotRunning = (error: unknown): boolean =>
  error instanceof OperatorError && ['ENOENT', 'ECONNREFUSED'].includes(systemCode(error.cause))

async function askDatabase(
  config: Config,
  directory: string,
  { cwd }: Cli,
  command: string,
  args: unknown,
  notRunning: unknown,
): Promise<unknown> {
  const { local, postgres } = config['storage']
  const path = resolve(
    cwd,
    local.path === '' ? resolve(directory, 'vestibule.sqlite3') : local.path,
  )
  // A first start makes it; a question about it does not.
  if (!existsSync(path)) throw notRunning
  const [{ openStorage, trustedCertificates }, throttle, audit, { migrations }] = await Promise.all(
    [
      import('../storage/index.ts'),
      import('../features/throttle/index.ts'),
      import('../features/audit/index.ts'),
      import('../features.ts'),
    ],
  )
  const certificates = config['certificates_directory'] ?? ''
  const trusted = trustedCertificates(certificates && resolve(cwd, certificates))
  const storage = await openStorage({ path, postgres, trusted, migrations, log: { info() {} } })
  try {
    const desks = throttle.openDesks({ storage, clock: systemClock })
    const commands = {
      ...banCommands(desks.bans),
      ...deviceCommands(desks.devices),
      ...auditCommands(audit.createAuditStore(storage)),
    }
    return await commands[command]?.(args)
  } finally {
    await storage.close()
  }
}
