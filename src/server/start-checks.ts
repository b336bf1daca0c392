/**
 * Everything that keeps the server from starting and can be seen without starting it. `serve` runs it before it opens
 * anything, a reload before it takes anything up, and `config validate` runs nothing else: they cannot disagree. It makes and changes nothing, and asks no
 * other machine: whether a port is free and a database answers is seen at the start.
 */
import { statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import {
  type Fault,
  type LoadOptions,
  type LoadResult,
  loadConfig,
  type Notice,
} from '../config/index.ts'
import { type Config, features, migrations } from '../features.ts'
import { lookAtDataDirectory } from '../files/data-directory.ts'
import { permissionWarning } from '../files/permissions.ts'
import type { ConfigPath, Manifest, StartPlace, StartReport } from '../kernel/feature.ts'
import { OperatorError } from '../kernel/operator-error.ts'
import { lookAtDatabase } from '../storage/index.ts'

type Loaded = LoadResult<Config>

/** Reads the configuration and looks at what it names: what can be started, or everything that is wrong. */
export async function loadForStart(
  options: Omit<LoadOptions<typeof features>, 'features'>,
): Promise<Loaded> {
  const loaded = await loadConfig({ ...options, features })
  if (!loaded.ok) return loaded
  const { faults, warnings } = await checkStart(loaded, options.cwd)
  return faults.length > 0
    ? { ok: false, faults, warnings: [...loaded.warnings, ...warnings] }
    : { ...loaded, warnings: [...loaded.warnings, ...warnings] }
}

async function checkStart(loaded: Extract<Loaded, { ok: true }>, cwd: string) {
  const { config, placeOf, sources } = loaded
  const data = resolve(cwd, config['data_directory'])
  const faults: Fault[] = []
  const warnings: Notice[] = []
  const secretFiles = new Set(loaded.secretSources)
  const files = new Set(sources)
  const report: StartReport = {
    fault(path, message, hint) {
      faults.push({ ...placeOf(path), message, ...(hint !== undefined && { allowed: hint }) })
    },
    faultIn(place, message, hint) {
      faults.push({ ...place, message, ...(hint !== undefined && { allowed: hint }) })
    },
    warn(path, message) {
      warnings.push({ ...placeOf(path), message })
    },
    secretFile(path) {
      files.add(path)
      secretFiles.add(path)
    },
  }
  const place: StartPlace = {
    resolve: (path) => resolve(cwd, path),
    inDataDirectory: (name) => join(data, name),
  }
  const refused = (path: ConfigPath, look: () => void): void => {
    try {
      look()
    } catch (error) {
      if (!(error instanceof OperatorError)) throw error
      report.fault(path, [error.message, error.hint].filter(Boolean).join('; '))
    }
  }
  refused(['data_directory'], () => lookAtDataDirectory(data))
  const { path } = config['storage'].local
  const database = path === '' ? place.inDataDirectory('vestibule.sqlite3') : place.resolve(path)
  refused(['storage', 'local', 'path'], () => lookAtDatabase(database, Object.keys(migrations)))
  lookAtSocket(config['server'].address, report)
  const manifests: readonly Manifest[] = Object.values(features)
  for (const { look } of manifests) await look?.(config, place, report)
  for (const file of files) {
    const message = permissionWarning(file, secretFiles.has(file))
    if (message !== undefined) warnings.push({ source: file, path: '', message })
  }
  return { faults, warnings }
}

function lookAtSocket(address: Config['server']['address'], report: StartReport): void {
  if (address.kind !== 'unix') return
  const folder = dirname(address.path)
  if (statSync(folder, { throwIfNoEntry: false })?.isDirectory() === true) return
  report.fault(['server', 'address'], `the folder of the socket, ${folder}, does not exist`)
}
