/**
 * The configuration: files, environment and secret files → one frozen value, or everything that is wrong with them.
 *
 * Owns how it is read, merged, named, checked for unknown keys, and how faults are said. Does not own any key: the
 * features declare those (kernel/feature.ts), and are handed in.
 */
import { createHash } from 'node:crypto'
import { resolve } from 'node:path'
import type { ConfigPath, ConfigReport } from '../kernel/feature.ts'
import { EMBEDDED } from './embedded.ts'
import type { Environment } from './environment.ts'
import { type Fault, type Notice, placeOf, sortFaults } from './faults.ts'
import { type Parsed, parseSlices, runChecks, warnInto } from './parse.ts'
import { secretsIn } from './secrets.ts'
import { type ConfigOf, type Features, type Slices, slicesOf } from './slices.ts'
import type { Sources } from './sources.ts'
import { withTemplates } from './templates.ts'
import { BUILT_IN, find, type MapTree, treeOf } from './tree.ts'

export {
  type Fault,
  formatFault,
  formatFaults,
  formatNotice,
  formatPlace,
  type Notice,
} from './faults.ts'
export { type ConfigOf, type Features, slicesOf } from './slices.ts'
export { formatPath } from './tree.ts'

export interface LoadOptions<F extends Features> {
  /** Files and directories in order, later ones win. None: the built-in defaults. */
  readonly files: readonly string[]
  readonly env: Environment
  readonly features: F
  /** What relative paths are relative to. */
  readonly cwd: string
  /** Runs once everything else is sound; what it warns of is placed like the rest. */
  readonly also?: (config: ConfigOf<F>, report: Pick<ConfigReport, 'warn'>) => Promise<void>
  /** The template filters that were asked for, as Authelia names them: `template`, `expand-env`. */
  readonly filters?: readonly string[]
}

/** @typeParam C the configuration: `ConfigOf<typeof features>` */
export type LoadResult<C = Readonly<Record<string, unknown>>> =
  | {
      readonly ok: true
      /** Frozen to the last list. */
      readonly config: C
      readonly warnings: readonly Notice[]
      /** Files that were read, secret files among them, as absolute paths in order. */
      readonly sources: readonly string[]
      /**
       * Twelve hex digits that change when anything that was read changes. It covers secrets too: not for people who
       * may not read the configuration.
       */
      readonly revision: string
      /** Where a path is written, or would be: for faults that are found later. */
      readonly placeOf: (path: ConfigPath) => Pick<Notice, 'source' | 'line' | 'column' | 'path'>
      /** Those of `sources` that hold a secret, secret files among them. */
      readonly secretSources: readonly string[]
    }
  | {
      readonly ok: false
      readonly faults: readonly Fault[]
      /** What is to be known besides: what was asked for and has no effect, say. */
      readonly warnings: readonly Notice[]
    }

/** Never throws for what an operator wrote: everything wrong with it is a fault, and all of them come at once. */
export async function loadConfig<F extends Features>(
  options: LoadOptions<F>,
): Promise<LoadResult<ConfigOf<F>>> {
  const { features } = options
  const slices = slicesOf(features)
  const sources = await read(options, slices)
  const { order } = sources
  let faults = [...sources.faults]
  const notices = [...sources.notices]
  // With half of a file gone, what is missing from the rest would only be noise.
  if (!sources.incomplete) {
    const parsed: Parsed = await parseSlices(slices, sources.tree)
    faults.push(...parsed.faults)
    notices.push(...parsed.notices)
    if (parsed.readable) {
      const checked = await runChecks(features, slices, parsed.config, sources.tree)
      // What a check misses may be what was misspelt: it is asked again once that is mended.
      const isUnsure = consequencesOf(
        sources.misspelt.map((path) => path.slice(0, -1)),
        sources.tree,
      )
      faults.push(...checked.faults.filter((fault) => !fault.isAbsent || !isUnsure(fault)))
      const parents = new Set(
        sources.misspelt.map((path) => find(sources.tree, path.slice(0, -1)).text),
      )
      notices.push(...checked.notices.filter(({ path }) => !parents.has(path)))
    }
    const templates = withTemplates(sources.doubtful, faults)
    faults = [...templates.faults]
    notices.push(...templates.notices)
    if (faults.length === 0) {
      // Fail closed: a key that could not be read must not count as one that was left out.
      if (!parsed.complete) throw new Error('a value was not read, and nothing was said about it')
      // The slices are those of F, and each was parsed by its own schema.
      const config = deepFreeze(parsed.config) as ConfigOf<F>
      await options.also?.(config, warnInto(notices, sources.tree))
      return {
        ok: true,
        config,
        warnings: sortFaults(notices, order),
        sources: sources.files,
        revision: revisionOf(sources.read),
        placeOf: (path) => {
          const spot = find(sources.tree, path)
          return { ...placeOf(spot.at), path: spot.text }
        },
        secretSources: secretSources(sources, slices, options.cwd),
      }
    }
  }
  const absent = sources.misspelt.filter((path) => find(sources.tree, path).tree === undefined)
  const isConsequence = consequencesOf(absent, sources.tree)
  return {
    ok: false,
    faults: sortFaults(
      faults.filter((fault) => !isConsequence(fault)),
      order,
    ),
    warnings: sortFaults(
      notices.filter((notice) => !isConsequence(notice)),
      order,
    ),
  }
}

/** Whether a fault is about one of these keys or a key below it: it follows from another fault, which is reported. */
function consequencesOf(
  keys: readonly ConfigPath[],
  tree: MapTree,
): (of: Pick<Fault, 'path'>) => boolean {
  const texts = keys.map((path) => find(tree, path).text)
  return ({ path }) =>
    texts.some((text) => path.startsWith(text) && /^([.[]|$)/.test(path.slice(text.length)))
}

async function read(options: LoadOptions<Features>, slices: Slices): Promise<Sources> {
  const { files, env } = options
  // A literal map becomes a map.
  const base = files.length === 0 ? (treeOf(EMBEDDED, BUILT_IN) as MapTree) : undefined
  const quiet = !Object.keys(env).some((name) => /^(VESTIBULE|X_AUTHELIA|AUTHELIA)_/.test(name))
  // Nothing was written: nothing to read it with is loaded.
  if (base !== undefined && quiet)
    return {
      tree: base,
      faults: [],
      notices: [],
      misspelt: [],
      doubtful: [],
      incomplete: false,
      read: [],
      order: [],
      files: [],
    }
  const { readSources } = await import('./sources.ts')
  return readSources({ ...options, base, slices })
}

/** Nothing was written: there is nothing to look through. */
function secretSources({ tree, files, order }: Sources, slices: Slices, cwd: string): string[] {
  if (files.length === 0) return []
  const written = new Set(secretsIn(tree, slices).map((source) => resolve(cwd, source)))
  const configuration = new Set(order.map((source) => resolve(cwd, source)))
  return files.filter((file) => written.has(file) || !configuration.has(file))
}

function revisionOf(read: Sources['read']): string {
  const hash = createHash('sha256')
  for (const [source, text] of read) {
    hash.update(`${source.length}:${source}${text.length}:${text}`)
  }
  return hash.digest('hex').slice(0, 12)
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value
  const prototype = Object.getPrototypeOf(value)
  // Other objects (Secret, URL, a compiled pattern) keep what they are.
  if (prototype !== Object.prototype && prototype !== Array.prototype && prototype !== null)
    return value
  for (const part of Object.values(value)) deepFreeze(part)
  return Object.freeze(value)
}
