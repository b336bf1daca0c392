/** Authelia's configuration: read as ours, and written anew with what has to be another value here. */
import { existsSync, readFileSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { type Fault, loadConfig, type Notice } from '../config/index.ts'
import { type Config, features } from '../features.ts'

export interface ReadConfig {
  readonly config: Config
  /** What has another name, no effect or another meaning here, with its place. */
  readonly warnings: readonly Notice[]
}

/** The variables of this process are not Authelia's: the files alone speak. */
export async function readConfigFiles(
  files: readonly string[],
  cwd: string,
): Promise<ReadConfig | { readonly faults: readonly Fault[] }> {
  const loaded = await loadConfig({ files, env: {}, features, cwd })
  return loaded.ok ? loaded : { faults: loaded.faults }
}

/**
 * Where a file is that the configuration names. A path of Authelia's container is not one of this machine: then it is
 * looked for beside the configuration.
 */
export function findFile(written: string, configFile: string, cwd: string): string | undefined {
  const places = [
    resolve(cwd, written),
    resolve(cwd, dirname(configFile), written),
    join(resolve(cwd, dirname(configFile)), basename(written)),
  ]
  return places.find((place) => existsSync(place))
}

export interface OwnPlaces {
  readonly dataDirectory: string
}

/** Keys of Authelia's places, which are not the places of this server: file and database lie in the data directory. */
const PLACES = [
  ['authentication_backend', 'file', 'path'],
  ['storage', 'local'],
  ['storage', 'postgres'],
] as const

/**
 * The files with their comments; what names Authelia's own files is left out, and the last one names the data directory.
 * @returns name and text of each
 */
export async function ownConfig(
  files: readonly string[],
  cwd: string,
  { dataDirectory }: OwnPlaces,
): Promise<readonly { readonly name: string; readonly text: string }[]> {
  const { isMap, parseDocument } = await import('yaml')
  return files.map((file, index) => {
    const document = parseDocument(readFileSync(resolve(cwd, file), 'utf8'))
    for (const path of PLACES) {
      if (!document.hasIn(path)) continue
      document.deleteIn(path)
      // A section without a key would be read as nothing.
      for (let length = path.length - 1; length > 0; length--) {
        const section = document.getIn(path.slice(0, length))
        if (isMap(section) && section.items.length === 0) document.deleteIn(path.slice(0, length))
      }
    }
    const isLast = index === files.length - 1
    if (isLast) document.set('data_directory', dataDirectory)
    const name = files.length === 1 ? 'config.yml' : `config-${index + 1}.yml`
    return { name, text: document.toString({ lineWidth: 0 }) }
  })
}
