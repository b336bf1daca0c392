/** The databases that the configuration names, for the server and for commands. */
import { resolve } from 'node:path'
import { type Config, migrations } from '../features.ts'
import { type StorageOptions, trustedCertificates } from '../storage/index.ts'

/** @param directory the data directory, absolute */
export function storageOptions(
  config: Config,
  place: { readonly cwd: string; readonly directory: string },
): Omit<StorageOptions, 'log'> {
  const { cwd, directory } = place
  const certificates = config['certificates_directory'] ?? ''
  const { local, postgres } = config['storage']
  return {
    path: local.path === '' ? resolve(directory, 'vestibule.sqlite3') : resolve(cwd, local.path),
    postgres,
    trusted: trustedCertificates(certificates && resolve(cwd, certificates)),
    migrations,
  }
}
