/** Takes out of what was written every key that no feature reads, and says of each why. */
import type { ConfigPath } from '../kernel/feature.ts'
import { type Fault, type Notice, placeOf } from './faults.ts'
import { type Known, patternsOf } from './known.ts'
import { nearest } from './nearest.ts'
import { type Entry, isNothing, joinPath, type MapTree, type Tree } from './tree.ts'

/** Suggestions cost time, and after this many nobody reads them. */
const MAX_SUGGESTIONS = 50

export interface Sifted {
  readonly tree: MapTree
  readonly faults: readonly Fault[]
  readonly notices: readonly Notice[]
}

/** @param refused reasons by dotted path: keys that must not be passed over while nobody reads them */
export function sift(
  root: MapTree,
  known: Known,
  refused: Readonly<Record<string, string>>,
): Sifted {
  const faults: Fault[] = []
  const notices: Notice[] = []
  const noticed = new Set<string>()
  let suggestions = MAX_SUGGESTIONS

  function tree(value: Tree, node: Known, path: ConfigPath, text: string, quiet = false): Tree {
    if (value.kind === 'map') return map(value, node, path, text, quiet)
    const { item } = node
    if (value.kind === 'scalar' || item === undefined) return value
    return {
      ...value,
      items: value.items.map((child, i) =>
        tree(child, item, [...path, i], joinPath(text, i), quiet),
      ),
    }
  }

  function map(
    value: MapTree,
    node: Known,
    path: ConfigPath,
    text: string,
    quiet = false,
  ): MapTree {
    const takesKeys = node.keys.size > 0 || node.any !== undefined
    if (node.open || !takesKeys) return value
    const entries = new Map<string, Entry>()
    for (const [key, entry] of value.entries) {
      const childText = entry.written ?? joinPath(text, key)
      const child = node.keys.get(key) ?? node.any
      const place = { ...placeOf(entry.at), path: childText }
      if (child === undefined) {
        faults.push({ ...place, message: 'unknown key', ...suggest(key, node, path, text) })
      } else if (child.built) {
        const kept = tree(entry.value, child, [...path, key], childText)
        entries.set(key, { ...entry, value: kept })
      } else if (!isNothing(entry.value)) unbuilt(entry, child, [...path, key], place, quiet)
    }
    return { ...value, entries }
  }

  function unbuilt(
    entry: Entry,
    node: Known,
    path: ConfigPath,
    place: Omit<Notice, 'message'>,
    quiet: boolean,
  ) {
    const pattern = path.filter((step) => typeof step === 'string').join('.')
    const reason = refused[pattern]
    // Nothing can be said of the whole when a part of it is refused: then of each part.
    const mixed = Object.keys(refused).some((key) => key.startsWith(`${pattern}.`))
    if (reason !== undefined) {
      if (entry.value.kind !== 'map' || entry.value.entries.size > 0)
        faults.push({ ...place, message: reason })
    } else if (!mixed && !quiet && !noticed.has(pattern)) {
      notices.push({ ...place, message: 'has no effect yet' })
      noticed.add(pattern)
    }
    // Its keys are still checked: a slip in them would come to light only when the feature arrives.
    tree(entry.value, node, path, place.path, !mixed)
  }

  function suggest(key: string, node: Known, path: ConfigPath, text: string): { nearest?: string } {
    if (suggestions-- <= 0) return {}
    const sibling = nearest(key, node.keys.keys())
    if (sibling !== undefined) return { nearest: joinPath(text, sibling) }
    const wanted = [...path.map((step) => (typeof step === 'number' ? '[]' : step)), key]
    const full = wanted.join('.').replaceAll('.[]', '[]')
    const patterns = [...patternsOf(known)].filter((found) => !found.pattern.endsWith('*'))
    // Right word, wrong place: the one that a feature reads, and the least deep, first.
    const same = patterns
      .filter(({ pattern }) => pattern.split('.').at(-1) === key)
      .sort(
        (a, b) =>
          Number(b.node.built) - Number(a.node.built) || a.pattern.length - b.pattern.length,
      )
    const found =
      same[0]?.pattern ??
      nearest(
        full,
        patterns.map((candidate) => candidate.pattern),
      )
    return found === undefined ? {} : { nearest: found }
  }

  return { tree: map(root, known, [], ''), faults, notices }
}
