/** Everything that was written, from every source, as one tree of today's names; and what is wrong with it so far. */
import { resolve } from 'node:path'
import type { ConfigPath } from '../kernel/feature.ts'
import { applyEnvironment, type Environment, givesUnsupported } from './environment.ts'
import type { Fault, Notice } from './faults.ts'
import { expandFiles, readText } from './files.ts'
import { hasUnsupported, type Known, knownOf } from './known.ts'
import { remarks } from './remarks.ts'
import type { Slices } from './slices.ts'
import { type Doubtful, doubtfulValues, templateFaults } from './templates.ts'
import { emptyMap, type MapTree, merge } from './tree.ts'
import type { Template, YamlFile } from './yaml.ts'

/** Authelia's variable for `--config.experimental.filters`. */
const FILTERS = 'X_AUTHELIA_CONFIG_FILTERS'

export interface Sources {
  readonly tree: MapTree
  readonly faults: readonly Fault[]
  readonly notices: readonly Notice[]
  /** The keys that unknown ones were taken for. */
  readonly misspelt: readonly ConfigPath[]
  /** Values that look as if something was to be put in their place. */
  readonly doubtful: readonly Doubtful[]
  /** A file could not be read: what is missing from the tree may only be missing from what we saw of it. */
  readonly incomplete: boolean
  readonly read: readonly (readonly [source: string, text: string])[]
  /** The configuration files as they are named in faults, in the order of reading. */
  readonly order: readonly string[]
  /** Absolute paths of the files among what was read. */
  readonly files: readonly string[]
}

export interface SourceOptions {
  readonly files: readonly string[]
  readonly env: Environment
  readonly cwd: string
  /** What lies below everything else. */
  readonly base: MapTree | undefined
  readonly slices: Slices
  readonly filters?: readonly string[]
}

export async function readSources({
  files: paths,
  env,
  cwd,
  base,
  slices,
  filters = [],
}: SourceOptions): Promise<Sources> {
  const known = knownOf(slices)
  const { files, faults } = await expandFiles(paths, cwd)
  const opened: string[] = []
  const read: [string, string][] = []
  const templates: Template[] = []
  const asked = [...filters, ...(env[FILTERS] ?? '').split(',').map((name) => name.trim())]
  let tree = base
  let incomplete = faults.length > 0
  if (files.length > 0) {
    for (const source of files) {
      const file = await readText(resolve(cwd, source))
      if (!file.ok) {
        faults.push({ source, path: '', message: file.problem })
        incomplete = true
        continue
      }
      opened.push(resolve(cwd, source))
      read.push([source, file.text])
      const yaml = await readTree(file.text, source, asked)
      faults.push(...yaml.faults)
      templates.push(...yaml.templates)
      if (yaml.tree === undefined) incomplete = true
      else tree = tree === undefined ? yaml.tree : merge(tree, yaml.tree)
    }
  }
  const root = tree ?? emptyMap({ source: paths[0] ?? 'configuration' })
  // They hold anchors, for use elsewhere: what was taken from them stands there.
  for (const key of root.entries.keys()) if (key.startsWith('x-')) root.entries.delete(key)
  // Without a key that no feature reads, the tables of such keys are not loaded.
  const hasOthers =
    hasUnsupported(root, known) || givesUnsupported(env, known) || templates.length > 0
  if (hasOthers) {
    const { addUnsupported } = await import('./authelia/unsupported/index.ts')
    addUnsupported(known)
  }
  const environment = await applyEnvironment(root, known, env, (path) => {
    opened.push(resolve(cwd, path))
    return readText(resolve(cwd, path))
  })
  const partitioned = hasOthers
    ? await partitionAll(root, known)
    : { tree: root, faults: [], notices: [], misspelt: [] }
  return {
    tree: partitioned.tree,
    faults: [
      ...faults,
      ...templateFaults(
        templates.filter(({ isText }) => !isText),
        known,
      ),
      ...environment.faults,
      ...partitioned.faults,
    ],
    notices: [...environment.notices, ...partitioned.notices, ...remarks(partitioned.tree, known)],
    misspelt: partitioned.misspelt,
    doubtful: doubtfulValues(templates, known),
    incomplete,
    read: [...read, ...environment.read],
    order: [...paths, ...files],
    files: opened,
  }
}

/** From this length on the quick reader is asked first: a small file is parsed in no time by the parser. */
const LARGE = 64 * 1024

async function readTree(
  text: string,
  source: string,
  filters: readonly string[],
): Promise<YamlFile> {
  if (text.length >= LARGE) {
    const { readPlainYaml } = await import('./plain-yaml.ts')
    const tree = readPlainYaml(text, source)
    if (tree !== undefined) return { tree, faults: [], templates: [] }
  }
  // The parser is half of a start that needs none.
  const { readYaml } = await import('./yaml.ts')
  return readYaml(text, source, filters)
}

async function partitionAll(root: MapTree, known: Known) {
  const [{ rename }, { partition }] = await Promise.all([
    import('./authelia/rename.ts'),
    import('./authelia/partition.ts'),
  ])
  const renamed = rename(root, known)
  const partitioned = partition(root, known)
  return {
    tree: partitioned.tree,
    faults: [...renamed.faults, ...partitioned.faults],
    notices: [...renamed.notices, ...partitioned.notices],
    misspelt: partitioned.misspelt,
  }
}
