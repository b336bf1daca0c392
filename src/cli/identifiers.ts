/** What the commands of `storage user identifiers` share. */
import { Option } from 'commander'
import {
  type Identifiers,
  openIdentifiers,
  SERVICES,
  type Service,
} from '../features/identifiers/index.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import type { Cli } from './invocation.ts'
import { onStorage } from './storage.ts'

export const DEFAULT_FILE = 'vestibule.export.opaque-identifiers.yml'

/** A server may run: it keeps nothing of the table in memory. */
export const onIdentifiers = (
  cli: Cli,
  work: (identifiers: Identifiers) => Promise<void>,
): Promise<void> => onStorage(cli, {}, ({ storage }) => work(openIdentifiers(storage)))

export const serviceOption = (): Option =>
  new Option('--service <name>', 'what the identifier is for').choices(SERVICES).default('openid')

export function serviceOf(name: string): Service {
  const service = SERVICES.find((one) => one === name)
  if (service !== undefined) return service
  throw new OperatorError(`there is no service ${JSON.stringify(name)}`, SERVICES.join(', '))
}
