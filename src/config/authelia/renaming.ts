/** Takes entries out of a tree by their old names, and puts them in by the names of today; says so. */
import { type Fault, type Notice, placeOf } from '../faults.ts'
import { type Known, knownAt } from '../known.ts'
import {
  type Entry,
  entryAt,
  isNothing,
  isWritten,
  joinPath,
  type MapTree,
  putEntry,
  type Scalar,
  takeEntry,
} from '../tree.ts'
import { valueFaults } from './unsupported/index.ts'

/** What was written under another name. */
export interface Old extends Entry {
  readonly written: string
}
type Place = Pick<Old, 'at' | 'written'>

/** Changes the tree in place. A name that a feature itself declares is left alone. */
export class Renaming {
  readonly root: MapTree
  readonly known: Known
  readonly faults: Fault[] = []
  readonly notices: Notice[] = []

  /** @param root what was written */
  constructor(root: MapTree, known: Known) {
    this.root = root
    this.known = known
  }

  say({ at, written }: Place, message: string): void {
    this.notices.push({ ...placeOf(at), path: written, message })
  }

  isOld(old: Place, now: string): void {
    this.say(old, `is an old name; write ${now}`)
  }

  isTwice({ at, written }: Place, other: string): void {
    this.faults.push({
      ...placeOf(at),
      path: written,
      message: `is given together with ${other}, which means the same; keep ${other}`,
    })
  }

  move(from: string, to: string, isOldName: boolean): void {
    const [list = '', key] = from.split('[].')
    if (key === undefined) {
      this.#moveKey(this.root, [], from, to, isOldName)
      return
    }
    const items = entryAt(this.root, list.split('.'))?.value
    if (items?.kind !== 'list') return
    const target = to.slice(to.indexOf('[].') + 3)
    for (const [index, item] of items.items.entries()) {
      const base = [...list.split('.'), index]
      if (item.kind === 'map') this.#moveKey(item, base, key, target, isOldName)
    }
  }

  /** @param base where `map` lies */
  #moveKey(
    map: MapTree,
    base: readonly (string | number)[],
    from: string,
    to: string,
    isOldName: boolean,
  ): void {
    const target = to.split('.')
    if (knownAt(this.known, [...base, ...target]) === undefined) return
    const old = this.#take(map, base, from)
    if (old === undefined) return
    const now = textOf(base, target)
    if (has(map, target)) {
      this.isTwice(old, now)
      return
    }
    if (isOldName) this.isOld(old, now)
    putEntry(map, target, old)
  }

  #take(map: MapTree, base: readonly (string | number)[], dotted: string): Old | undefined {
    const path = dotted.split('.')
    if (knownAt(this.known, [...base, ...path])?.built) return undefined
    const entry = entryAt(map, path)
    if (entry === undefined || isNothing(entry.value)) return undefined
    takeEntry(map, path)
    return { ...entry, written: textOf(base, path) }
  }

  /** What is wrong with what stands there, while it still does. */
  valuesAt(dotted: string): Fault[] {
    const path = dotted.split('.')
    const [entry, node] = [entryAt(this.root, path), knownAt(this.known, path)]
    if (entry === undefined || node === undefined || node.built) return []
    return valueFaults(
      entry.value,
      node,
      { path, text: dotted, at: entry.at },
      this.root,
      this.known,
    )
  }

  taken(dotted: string): Old | undefined {
    return this.#take(this.root, [], dotted)
  }

  /**
   * Several single values that became one key, which is made by `make` from those that were written.
   * @param from by the names that `make` knows them by; of one name with several keys, the last counts
   */
  join<K extends string>(
    from: readonly (readonly [name: K, path: string])[],
    to: string,
    make: (parts: Readonly<Partial<Record<K, Scalar>>>) => string,
  ): void {
    const parts: Partial<Record<K, Scalar>> = {}
    const olds: Old[] = []
    for (const [name, path] of from) {
      const wrong = this.valuesAt(path)
      const old = this.taken(path)
      if (old === undefined) continue
      this.faults.push(...wrong)
      if (wrong.length > 0 || old.value.kind !== 'scalar') continue
      olds.push(old)
      parts[name] = old.value.value
    }
    const [first] = olds
    if (first === undefined) return
    const target = to.split('.')
    if (has(this.root, target)) {
      for (const old of olds) this.isTwice(old, to)
      return
    }
    const value = make(parts)
    for (const old of olds) this.isOld(old, `${to}: ${value}`)
    const at = first.at
    putEntry(this.root, target, {
      at,
      value: { kind: 'scalar', value, at },
      written: first.written,
    })
  }
}

const textOf = (base: readonly (string | number)[], path: readonly string[]): string =>
  [...base, ...path].reduce<string>(joinPath, '')

export function has(map: MapTree, path: readonly string[]): boolean {
  const entry = entryAt(map, path)
  return entry !== undefined && isWritten(entry.value)
}
