/** The tree → the features' slices, each through its own schema; then the checks that span them. */
import type { z } from 'zod'
import type { ConfigPath, ConfigReport } from '../kernel/feature.ts'
import { describe } from './describe.ts'
import { type Fault, NOT_ALLOWED, type Notice, placeOf } from './faults.ts'
import { knownAt, knownOf } from './known.ts'
import { type Features, innerSlices, type Slices } from './slices.ts'
import { find, hasUnread, isNothing, isWritten, type MapTree, toPlain } from './tree.ts'

export interface Parsed {
  readonly config: Readonly<Record<string, unknown>>
  readonly faults: readonly Fault[]
  readonly notices: readonly Notice[]
  /** Every slice was parsed, from values that could all be read. */
  readonly complete: boolean
  /** Values could all be read; a slice that is not in `config` has faults. */
  readonly readable: boolean
}

export async function parseSlices(slices: Slices, tree: MapTree): Promise<Parsed> {
  const config: Record<string, unknown> = {}
  const notices: Notice[] = []
  const issues: { path: string; issues: readonly z.core.$ZodIssue[] }[] = []
  for (const [path, schema] of Object.entries(slices)) {
    const parse = () => parseSlice(schema, plainSlice(tree, path, slices))
    let result = parse()
    if (!result.success) {
      const { parseAsMeant } = await import('./as-meant.ts')
      const read = parseAsMeant(result, parse, path.split('.'), tree, knownOf(slices))
      result = read.result
      notices.push(...read.notices)
    }
    if (result.success) config[path] = result.data
    else issues.push({ path, issues: result.error.issues })
  }
  const blocked = Object.keys(slices).flatMap((path) => blockedAt(tree, path.split('.')) ?? [])
  const readable = blocked.length === 0 && !hasUnread(tree)
  if (issues.length === 0 && blocked.length === 0)
    return { config, faults: [], notices, complete: readable, readable }
  // Only a refused start pays for the words.
  const { explainIssues, foundText } = await import('./issues.ts')
  const known = knownOf(slices)
  const faults = issues.flatMap(({ path, issues }) =>
    explainIssues(issues, path.split('.'), tree, known),
  )
  for (const path of blocked) {
    const [spot, node] = [find(tree, path), knownAt(known, path)]
    const found = foundText(spot.tree, node, path)
    const place = { ...placeOf(spot.at), path: spot.text }
    const allowed = node === undefined ? 'a map' : describe(node)
    faults.push({ ...place, message: NOT_ALLOWED, allowed, ...(found !== undefined && { found }) })
  }
  return { config, faults, notices, complete: false, readable }
}

/** Where something that is no map lies above a slice, which would then count as left out. */
function blockedAt(root: MapTree, path: readonly string[]): [ConfigPath] | undefined {
  for (let length = 1; length < path.length; length++) {
    const above = path.slice(0, length)
    const { tree } = find(root, above)
    if (tree === undefined || isNothing(tree)) return undefined
    if (tree.kind !== 'map') return tree.kind === 'scalar' && tree.unread ? undefined : [above]
  }
  return undefined
}

/** A section that was left out is an empty one, unless its schema has something to say about that. */
function parseSlice(schema: z.ZodType, plain: unknown) {
  const result = schema.safeParse(plain)
  if (result.success || plain !== undefined) return result
  const isSection = result.error.issues.some(
    (issue) =>
      issue.code === 'invalid_type' && issue.expected === 'object' && issue.path.length === 0,
  )
  return isSection ? schema.safeParse({}) : result
}

function plainSlice(tree: MapTree, path: string, slices: Slices): unknown {
  const found = find(tree, path.split('.')).tree
  if (found === undefined || isNothing(found)) return undefined
  if (found.kind === 'scalar' && found.unread) return undefined
  const plain = toPlain(found)
  for (const inner of innerSlices(path, slices)) {
    removeAt(plain, inner.slice(path.length + 1).split('.'))
  }
  return plain
}

function removeAt(value: unknown, [key = '', ...rest]: readonly string[]): void {
  if (typeof value !== 'object' || value === null) return
  if (rest.length === 0) Reflect.deleteProperty(value, key)
  else removeAt(Reflect.get(value, key), rest)
}

/** A check wanted to see a slice that has faults. */
class Unparsed extends Error {}

/** The slices that were parsed; asking for another one throws Unparsed. */
function onlyParsed(
  config: Readonly<Record<string, unknown>>,
  slices: Slices,
): Readonly<Record<string, unknown>> {
  return new Proxy(config, {
    get(target, key) {
      if (typeof key === 'string' && !Object.hasOwn(target, key) && Object.hasOwn(slices, key))
        throw new Unparsed(key)
      return Reflect.get(target, key)
    },
  })
}

/** Places warnings where their paths were written. */
export function warnInto(notices: Notice[], tree: MapTree): Pick<ConfigReport, 'warn'> {
  return {
    warn(path, message) {
      const spot = find(tree, path)
      notices.push({ ...placeOf(spot.at), path: spot.text, message })
    },
  }
}

/**
 * Runs the features' own checks. What they find is placed where the path was written. A check that needs a slice with
 * faults ends there; what it found before counts.
 */
export async function runChecks(
  features: Features,
  slices: Slices,
  config: Readonly<Record<string, unknown>>,
  tree: MapTree,
): Promise<{ faults: readonly Fault[]; notices: readonly Notice[] }> {
  const said: { path: ConfigPath; message: string; hint: string | undefined }[] = []
  const notices: Notice[] = []
  const report: ConfigReport = {
    fault(path, message, hint) {
      said.push({ path, message, hint })
    },
    ...warnInto(notices, tree),
  }
  const explicit = (path: ConfigPath): boolean => {
    const spot = find(tree, path)
    return spot.tree !== undefined && isWritten(spot.tree)
  }
  const parsed = onlyParsed(config, slices)
  for (const { check } of Object.values(features)) {
    try {
      check?.(parsed, report, explicit)
    } catch (error) {
      if (!(error instanceof Unparsed)) throw error
    }
  }
  if (said.length === 0) return { faults: [], notices }
  const { foundText } = await import('./issues.ts')
  const known = knownOf(slices)
  const faults = said.map(({ path, message, hint }): Fault => {
    const spot = find(tree, path)
    const isValue = spot.tree?.kind === 'scalar'
    const found = isValue ? foundText(spot.tree, knownAt(known, path), path) : undefined
    return {
      ...placeOf(spot.at),
      path: spot.text,
      message,
      ...(spot.tree === undefined && { isAbsent: true as const }),
      ...(found !== undefined && { found }),
      ...(hint !== undefined && { allowed: hint }),
    }
  })
  return { faults, notices }
}
