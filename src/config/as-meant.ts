/**
 * A value in another form than its key takes, which can mean one thing only: that thing. Asked for what a schema
 * refused, so that a sound configuration pays nothing for it.
 */
import type { z } from 'zod'
import type { ConfigPath } from '../kernel/feature.ts'
import { type Notice, placeOf } from './faults.ts'
import { type Known, knownAt } from './known.ts'
import { find, type MapTree, replaceValue, type ScalarTree, type Tree } from './tree.ts'

interface Meant {
  readonly value: Tree
  /** What the operator is told; an empty text is left out of old templates all the time, and says nothing. */
  readonly message: string | undefined
}

const DECIMAL = /^-?\d{1,15}(\.\d{1,15})?$/

/** @returns undefined when there is no such reading, or more than one */
export function asMeant(tree: Tree, { leaf, item }: Known): Meant | undefined {
  if (tree.kind !== 'scalar' || tree.unread || tree.value === null) return undefined
  if (tree.value === '')
    return leaf?.types.has('string') && !leaf.criterion
      ? { value: { ...tree, value: null }, message: undefined }
      : undefined
  const single = leaf === undefined ? undefined : readScalar(tree, leaf.types)
  if (single !== undefined) return single
  if (leaf !== undefined || item?.leaf === undefined) return undefined
  const inner = readScalar(tree, item.leaf.types)?.value ?? tree
  const message = 'is one value where a list belongs: read as a list of one'
  return { value: { kind: 'list', items: [inner], at: tree.at }, message }
}

function readScalar(tree: ScalarTree, types: ReadonlySet<string>): Meant | undefined {
  const { value } = tree
  if (typeof value !== 'string') {
    if (types.has(typeof value) || !types.has('string')) return undefined
    const kind = typeof value === 'number' ? 'a number' : 'true or false'
    const text = tree.source ?? String(value)
    return {
      value: { ...tree, value: text },
      message: `is ${kind} where a text belongs: read as it is written; quote it`,
    }
  }
  if (types.has('string')) return undefined
  if (types.has('boolean') && /^(true|false)$/i.test(value))
    return {
      value: { ...tree, value: value.toLowerCase() === 'true' },
      message: 'is a text: read as what it says; do not quote it',
    }
  if (types.has('number') && DECIMAL.test(value))
    return {
      value: { ...tree, value: Number(value) },
      message: 'is a text: read as the number that it says; do not quote it',
    }
  return undefined
}

/** Below a list of lists there are issues of several depths, each seen once the one above it is gone. */
const MAX_ROUNDS = 4

/**
 * Parses again with each refused value read as it was meant, as long as that helps. Changes `root`.
 * @param base the path of what is parsed
 * @param parse reads `root` anew each time
 */
export function parseAsMeant<R extends z.ZodSafeParseResult<unknown>>(
  refused: R,
  parse: () => R,
  base: ConfigPath,
  root: MapTree,
  known: Known,
): { readonly result: R; readonly notices: readonly Notice[] } {
  let result = refused
  const notices = new Map<string, Notice>()
  const tried = new Set<string>()
  for (let round = 0; round < MAX_ROUNDS && !result.success; round++) {
    const changed: { path: ConfigPath; key: string; was: Tree; message: string | undefined }[] = []
    for (const path of pathsOf(result.error.issues, base)) {
      const key = JSON.stringify(path)
      const [spot, node] = [find(root, path), knownAt(known, path)]
      if (tried.has(key) || spot.tree === undefined || node === undefined) continue
      const meant = asMeant(spot.tree, node)
      if (meant === undefined) continue
      tried.add(key)
      changed.push({ path, key, was: spot.tree, message: meant.message })
      replaceValue(root, path, meant.value)
      if (meant.message === undefined) continue
      notices.set(key, { ...placeOf(spot.at), path: spot.text, message: meant.message })
    }
    if (changed.length === 0) break
    result = parse()
    if (result.success) break
    const wrong = new Set(pathsOf(result.error.issues, base).flatMap(prefixesOf))
    const inVain = changed.filter(({ key, message }) => message !== undefined && wrong.has(key))
    for (const { key } of inVain) notices.delete(key)
    // Faults are reported of the converted value, except where a list was made of a value that is none.
    const back = inVain.filter(({ was, path }) => find(root, path).tree?.kind !== was.kind)
    for (const { path, was } of back) replaceValue(root, path, was)
    if (back.length > 0) result = parse()
  }
  return { result, notices: [...notices.values()] }
}

const prefixesOf = (path: ConfigPath): string[] =>
  path.map((_, i) => JSON.stringify(path.slice(0, i + 1)))

/** Where the issues are, those of every branch of a union included. */
function pathsOf(issues: readonly z.core.$ZodIssue[], base: ConfigPath): ConfigPath[] {
  return issues.flatMap((issue) => {
    const path = [
      ...base,
      ...issue.path.map((step) => (typeof step === 'number' ? step : String(step))),
    ]
    const inner = issue.code === 'invalid_union' ? issue.errors : []
    return [path, ...inner.flatMap((branch) => pathsOf(branch, path))]
  })
}
