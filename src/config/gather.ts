/** Everything that was written, from every source, as one tree of today's names; and what is wrong with it so far. */
import { resolve } from 'node:path'
import {
  applyEnvironment,
  type Environment,
  givesStranger,
  variableOf,
  variablesOf,
} from './environment.ts'
import { type Fault, type Notice, placeOf } from './faults.ts'
import { expandFiles, readText } from './files.ts'
import { hasStranger, type Known, knownAt, knownOf } from './known.ts'
import type { Slices } from './slices.ts'
import { emptyMap, formatPath, type MapTree, merge } from './tree.ts'
import type { Template } from './yaml.ts'

export interface Gathered {
  readonly tree: MapTree
  readonly faults: readonly Fault[]
  readonly notices: readonly Notice[]
  /** A file could not be read: what is missing from the tree may only be missing from what we saw of it. */
  readonly incomplete: boolean
  readonly read: readonly (readonly [source: string, text: string])[]
  /** The configuration files as they are named in faults, in the order of reading. */
  readonly order: readonly string[]
  /** Absolute paths of the files among what was read. */
  readonly files: readonly string[]
}

export interface Sources {
  readonly files: readonly string[]
  readonly env: Environment
  readonly cwd: string
  /** What lies below everything else. */
  readonly base: MapTree | undefined
  readonly slices: Slices
}

export async function gather({ files: paths, env, cwd, base, slices }: Sources): Promise<Gathered> {
  const known = knownOf(slices)
  const { files, faults } = await expandFiles(paths, cwd)
  const opened: string[] = []
  const read: [string, string][] = []
  const templates: Template[] = []
  let tree = base
  let incomplete = faults.length > 0
  if (files.length > 0) {
    // Half of a start without configuration was the YAML parser.
    const { readYaml } = await import('./yaml.ts')
    for (const source of files) {
      const file = await readText(resolve(cwd, source))
      if (!file.ok) {
        faults.push({ source, path: '', message: file.problem })
        incomplete = true
        continue
      }
      opened.push(resolve(cwd, source))
      read.push([source, file.text])
      const yaml = readYaml(file.text, source)
      faults.push(...yaml.faults)
      templates.push(...yaml.templates)
      if (yaml.tree === undefined) incomplete = true
      else tree = tree === undefined ? yaml.tree : merge(tree, yaml.tree)
    }
  }
  const root = tree ?? emptyMap({ source: paths[0] ?? 'configuration' })
  // Where only keys stand that somebody reads, nobody asks for the others.
  const strange = hasStranger(root, known) || givesStranger(env, known) || templates.length > 0
  if (strange) {
    const { addUnbuilt } = await import('./unbuilt/index.ts')
    addUnbuilt(known)
  }
  const environment = await applyEnvironment(root, known, env, (path) => {
    opened.push(resolve(cwd, path))
    return readText(resolve(cwd, path))
  })
  const sifted = strange ? await siftAll(root, known) : { tree: root, faults: [], notices: [] }
  return {
    tree: sifted.tree,
    faults: [
      ...faults,
      ...templateFaults(templates, known),
      ...environment.faults,
      ...sifted.faults,
    ],
    notices: [...environment.notices, ...sifted.notices],
    incomplete,
    read: [...read, ...environment.read],
    order: [...paths, ...files],
    files: opened,
  }
}

async function siftAll(root: MapTree, known: Known) {
  const [{ rename }, { sift }] = await Promise.all([import('./renamed.ts'), import('./sift.ts')])
  const renamed = rename(root, known)
  const sifted = sift(root, known)
  return {
    tree: sifted.tree,
    faults: [...renamed.faults, ...sifted.faults],
    notices: [...renamed.notices, ...sifted.notices],
  }
}

function templateFaults(templates: readonly Template[], known: Known): Fault[] {
  if (templates.length === 0) return []
  const variables = variablesOf(known)
  // What nobody reads may hold what it likes, unless the file cannot be read for it.
  const wrong = templates.filter(({ isVariable, path }) => {
    const key = knownAt(known, path)
    return !isVariable || key?.built || key?.nameOf !== undefined
  })
  return wrong.map(({ path, at, isVariable }) => {
    const names = path.filter((step) => typeof step === 'string')
    const variable = names.length === path.length ? variableOf(names) : ''
    const secret = knownAt(known, path)?.leaf?.secret === true
    const instead = !variables.has(variable)
      ? path.length === 0
        ? 'the value itself, or a variable VESTIBULE_… (VESTIBULE_…_FILE for a secret)'
        : 'the value itself'
      : secret
        ? `the value itself, or ${variable}_FILE=/path/to/file, or ${variable}`
        : `the value itself, or the variable ${variable}`
    return {
      ...placeOf(at),
      path: formatPath(path),
      message: isVariable
        ? 'variables in values are not replaced'
        : 'template filters ({{ … }}) are not supported',
      allowed: instead,
    }
  })
}
