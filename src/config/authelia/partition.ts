/**
 * Takes out of what was written every key that no feature reads, and says of each why. Loaded only when there is such a
 * key.
 */
import type { ConfigPath } from '../../kernel/feature.ts'
import { type Fault, type Notice, placeOf } from '../faults.ts'
import { type Known, knownAt, patternsOf } from '../known.ts'
import { nearest } from '../nearest.ts'
import {
  asksForSomething,
  type Entry,
  formatPath,
  isNothing,
  joinPath,
  type MapTree,
  type Tree,
} from '../tree.ts'
import { contradictions, NOTES, REFUSED, type Spot, valueFaults } from './unsupported/index.ts'

/** Suggestions cost time, and nothing is gained by more than this. */
const MAX_SUGGESTIONS = 50

export interface Partitioned {
  readonly tree: MapTree
  readonly faults: readonly Fault[]
  readonly notices: readonly Notice[]
  /** The keys that unknown ones were taken for. */
  readonly misspelt: readonly ConfigPath[]
}

export function partition(root: MapTree, known: Known): Partitioned {
  const run = new Partition(root, known)
  const tree = run.map(root, known, [], '', false)
  const isUnsupported = (path: string) => knownAt(known, path.split('.'))?.built === false
  const { faults, notices, misspelt } = run
  return { tree, faults, notices: [...notices, ...contradictions(root, isUnsupported)], misspelt }
}

class Partition {
  readonly faults: Fault[] = []
  readonly notices: Notice[] = []
  readonly misspelt: ConfigPath[] = []
  readonly #root: MapTree
  readonly #known: Known
  /** Keys for which it was already said that they have no effect. */
  readonly #noticed = new Set<string>()
  #suggestions = MAX_SUGGESTIONS

  constructor(root: MapTree, known: Known) {
    this.#root = root
    this.#known = known
  }

  /** @param inside a key that no feature reads: all of it is kept, except unknown keys */
  #tree(value: Tree, node: Known, path: ConfigPath, text: string, inside: boolean): Tree {
    if (value.kind === 'map') return this.map(value, node, path, text, inside)
    const { item } = node
    if (value.kind === 'scalar' || item === undefined) return value
    return {
      ...value,
      items: value.items.map((child, i) =>
        this.#tree(child, item, [...path, i], joinPath(text, i), inside),
      ),
    }
  }

  map(value: MapTree, node: Known, path: ConfigPath, text: string, inside: boolean): MapTree {
    const takesKeys = node.keys.size > 0 || node.any !== undefined
    if (node.open || !takesKeys) return value
    const entries = new Map<string, Entry>()
    for (const [key, entry] of value.entries) {
      const childText = entry.written ?? joinPath(text, key)
      const childPath = [...path, key]
      const child = node.keys.get(key) ?? node.any
      if (child === undefined) {
        const place = { ...placeOf(entry.at), path: childText }
        this.faults.push({ ...place, ...this.#unknownKey(key, value, path, text) })
      } else if (child.built || inside) {
        const kept = this.#tree(entry.value, child, childPath, childText, inside)
        entries.set(key, { ...entry, value: kept })
      } else if (!isNothing(entry.value))
        this.#unsupported(entry, child, { path: childPath, text: childText, at: entry.at })
    }
    return { ...value, entries }
  }

  #unsupported({ value }: Entry, node: Known, spot: Spot): void {
    const pattern = spot.path.filter((step) => typeof step === 'string').join('.')
    const place = { ...placeOf(spot.at), path: spot.text }
    const reason = REFUSED[pattern]
    if (reason !== undefined) {
      // What is in it does not matter any more.
      if (asksForSomething(value)) this.faults.push({ ...place, message: reason })
      return
    }
    // Nothing can be said of the whole when a part of it is refused: then of each part.
    if (value.kind === 'map' && Object.keys(REFUSED).some((key) => key.startsWith(`${pattern}.`))) {
      this.map(value, node, spot.path, spot.text, false)
      return
    }
    if (!this.#noticed.has(pattern) && asksForSomething(value)) {
      this.notices.push({ ...place, message: `has no effect yet${NOTES[pattern] ?? ''}` })
      this.#noticed.add(pattern)
    }
    // It is checked all the same: what is wrong in it would come to light only when the feature arrives.
    const kept = this.#tree(value, node, spot.path, spot.text, true)
    this.faults.push(...valueFaults(kept, node, spot, this.#root, this.#known))
  }

  /** What was meant is a sibling, a key one indentation off, or the only key of that name; nothing else is proposed. */
  #unknownKey(
    key: string,
    map: MapTree,
    path: ConfigPath,
    text: string,
  ): Pick<Fault, 'message' | 'nearest'> {
    const message = 'unknown key'
    if (this.#suggestions-- <= 0) return { message }
    const meant = meantBy(key, map, path, this.#known)
    if (meant === undefined) return { message }
    this.misspelt.push(meant.path)
    const near = formatPath(meant.path)
    if (meant.indent === undefined)
      return {
        message,
        nearest: meant.isSibling ? joinPath(text, String(meant.path.at(-1))) : near,
      }
    return { message: `${message}: ${near} is one; indent it ${meant.indent}` }
  }
}

interface MeantKey {
  readonly path: ConfigPath
  readonly isSibling?: true
  /** Which way it has to go. */
  readonly indent?: string
}

function meantBy(key: string, map: MapTree, path: ConfigPath, known: Known): MeantKey | undefined {
  const node = knownAt(known, path)
  const has = (at: Known | undefined, name: string) =>
    at?.keys.get(name) !== undefined && at.keys.get(name)?.nameOf === undefined
  for (const [name] of map.entries) {
    if (has(node?.keys.get(name), key))
      return { path: [...path, name, key], indent: `below ${name}` }
  }
  for (let length = path.length - 1; length >= 0; length--) {
    const above = path.slice(0, length)
    if (has(knownAt(known, above), key))
      return {
        path: [...above, key],
        indent: length === 0 ? 'not at all' : `like ${String(path[length])}`,
      }
  }
  const siblings = [...(node?.keys.keys() ?? [])].filter((name) => has(node, name))
  const sibling = nearest(key, siblings)
  if (sibling !== undefined) return { path: [...path, sibling], isSibling: true }
  const places = [...patternsOf(known)].filter(
    ({ pattern, node: { nameOf } }) => nameOf === undefined && !/[*[]/.test(pattern),
  )
  // `session_redis`, as its variables write it.
  const joined = places.find(({ pattern }) => pattern.replaceAll('.', '_') === key)
  if (joined !== undefined && path.length === 0) return { path: joined.pattern.split('.') }
  const same = places.filter(({ pattern }) => pattern.split('.').at(-1) === key)
  const [only, second] = same
  return only?.node.built && second === undefined ? { path: only.pattern.split('.') } : undefined
}
