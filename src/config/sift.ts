/**
 * Takes out of what was written every key that no feature reads, and says of each why. Loaded only when there is such a
 * key.
 */
import type { ConfigPath } from '../kernel/feature.ts'
import { type Fault, type Notice, placeOf } from './faults.ts'
import { type Known, knownAt, patternsOf } from './known.ts'
import { nearest } from './nearest.ts'
import {
  asksForSomething,
  type Entry,
  isNothing,
  joinPath,
  type MapTree,
  type Tree,
} from './tree.ts'
import { contradictions, NOTES, REFUSED, type Spot, valueFaults } from './unbuilt/index.ts'

/** Suggestions cost time, and after this many nobody reads them. */
const MAX_SUGGESTIONS = 50

export interface Sifted {
  readonly tree: MapTree
  readonly faults: readonly Fault[]
  readonly notices: readonly Notice[]
}

export function sift(root: MapTree, known: Known): Sifted {
  const faults: Fault[] = []
  const notices: Notice[] = []
  const noticed = new Set<string>()
  let suggestions = MAX_SUGGESTIONS

  /** @param inside a key that nobody reads: all of it is kept, but for what is unknown */
  function tree(value: Tree, node: Known, path: ConfigPath, text: string, inside: boolean): Tree {
    if (value.kind === 'map') return map(value, node, path, text, inside)
    const { item } = node
    if (value.kind === 'scalar' || item === undefined) return value
    return {
      ...value,
      items: value.items.map((child, i) =>
        tree(child, item, [...path, i], joinPath(text, i), inside),
      ),
    }
  }

  function map(
    value: MapTree,
    node: Known,
    path: ConfigPath,
    text: string,
    inside: boolean,
  ): MapTree {
    const takesKeys = node.keys.size > 0 || node.any !== undefined
    if (node.open || !takesKeys) return value
    const entries = new Map<string, Entry>()
    for (const [key, entry] of value.entries) {
      const childText = entry.written ?? joinPath(text, key)
      const childPath = [...path, key]
      const child = node.keys.get(key) ?? node.any
      if (child === undefined) {
        const place = { ...placeOf(entry.at), path: childText }
        faults.push({ ...place, message: 'unknown key', ...suggest(key, node, path, text) })
      } else if (child.built || inside) {
        const kept = tree(entry.value, child, childPath, childText, inside)
        entries.set(key, { ...entry, value: kept })
      } else if (!isNothing(entry.value))
        unbuilt(entry, child, { path: childPath, text: childText, at: entry.at })
    }
    return { ...value, entries }
  }

  function unbuilt({ value }: Entry, node: Known, spot: Spot): void {
    const pattern = spot.path.filter((step) => typeof step === 'string').join('.')
    const place = { ...placeOf(spot.at), path: spot.text }
    const reason = REFUSED[pattern]
    if (reason !== undefined) {
      // What is in it does not matter any more.
      if (asksForSomething(value)) faults.push({ ...place, message: reason })
      return
    }
    // Nothing can be said of the whole when a part of it is refused: then of each part.
    if (value.kind === 'map' && Object.keys(REFUSED).some((key) => key.startsWith(`${pattern}.`))) {
      map(value, node, spot.path, spot.text, false)
      return
    }
    if (!noticed.has(pattern) && asksForSomething(value)) {
      notices.push({ ...place, message: `has no effect yet${NOTES[pattern] ?? ''}` })
      noticed.add(pattern)
    }
    // It is checked all the same: what is wrong in it would come to light only when the feature arrives.
    const kept = tree(value, node, spot.path, spot.text, true)
    faults.push(...valueFaults(kept, node, spot, root, known))
  }

  function suggest(key: string, node: Known, path: ConfigPath, text: string): { nearest?: string } {
    if (suggestions-- <= 0) return {}
    const siblings = [...node.keys].filter(([, { nameOf }]) => nameOf === undefined)
    const sibling = nearest(
      key,
      siblings.map(([name]) => name),
    )
    if (sibling !== undefined) return { nearest: joinPath(text, sibling) }
    const wanted = [...path.map((step) => (typeof step === 'number' ? '[]' : step)), key]
    const full = wanted.join('.').replaceAll('.[]', '[]')
    const patterns = [...patternsOf(known)].filter(
      (found) => !found.pattern.endsWith('*') && found.node.nameOf === undefined,
    )
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

  const kept = map(root, known, [], '', false)
  const isUnbuilt = (path: string) => knownAt(known, path.split('.'))?.built === false
  return { tree: kept, faults, notices: [...notices, ...contradictions(root, isUnbuilt)] }
}
