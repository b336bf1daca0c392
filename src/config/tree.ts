/** What was read, before anything was understood: plain values that know where they were written. */
import type { ConfigPath } from '../kernel/feature.ts'

export interface Origin {
  /** A file as it was named, an environment variable, or the built-in defaults. */
  readonly source: string
  /** From 1. */
  readonly line?: number
  readonly column?: number
}

export type Scalar = string | number | boolean | null

export interface ScalarTree {
  readonly kind: 'scalar'
  readonly value: Scalar
  readonly at: Origin
  /** A number or a truth as it was written: `012345` is 12345 to YAML, and a password to its owner. */
  readonly source?: string
  /** A fault was already said about this value (a template filter): say no other. */
  readonly unread?: true
}
export interface ListTree {
  readonly kind: 'list'
  readonly items: Tree[]
  readonly at: Origin
}
export interface Entry {
  /** The key's place: where faults of this entry are reported. */
  readonly at: Origin
  readonly value: Tree
  /** The whole path as it was written, when a deprecated or second name was used. */
  readonly written?: string
}
export interface MapTree {
  readonly kind: 'map'
  readonly entries: Map<string, Entry>
  readonly at: Origin
}
export type Tree = ScalarTree | ListTree | MapTree

/** The lowest source of all: what holds when no file was given. Not "written down anywhere". */
export const BUILT_IN: Origin = { source: 'built-in defaults' }

export const emptyMap = (at: Origin): MapTree => ({ kind: 'map', entries: new Map(), at })

/** A tree of plain JSON, every part of it at one place. */
export function treeOf(value: unknown, at: Origin): Tree {
  if (Array.isArray(value))
    return { kind: 'list', items: value.map((item) => treeOf(item, at)), at }
  if (typeof value === 'object' && value !== null) {
    const entries = new Map<string, Entry>()
    for (const [key, item] of Object.entries(value)) {
      entries.set(key, { at, value: treeOf(item, at) })
    }
    return { kind: 'map', entries, at }
  }
  const plain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
  return { kind: 'scalar', value: plain ? value : null, at }
}

/** Maps are merged key by key, lists and values replaced; a key without a value replaces nothing. */
export function merge(base: MapTree, over: MapTree): MapTree {
  const entries = new Map(base.entries)
  for (const [key, entry] of over.entries) {
    const below = entries.get(key)
    if (below === undefined) entries.set(key, entry)
    else if (isNothing(entry.value)) continue
    else if (below.value.kind === 'map' && entry.value.kind === 'map')
      entries.set(key, { ...entry, value: merge(below.value, entry.value) })
    else entries.set(key, entry)
  }
  return { kind: 'map', entries, at: base.at === BUILT_IN ? over.at : base.at }
}

export function isNothing(tree: Tree): boolean {
  return tree.kind === 'scalar' && tree.value === null && tree.unread === undefined
}

/** Whether anything is in it: old templates of Authelia are full of `key: ''`. */
export function asksForSomething(tree: Tree): boolean {
  if (tree.kind === 'scalar') return tree.value !== '' && !isNothing(tree)
  if (tree.kind === 'list') return tree.items.length > 0
  return [...tree.entries.values()].some(({ value }) => asksForSomething(value))
}

/**
 * The value as zod wants it. A key without a value, or with one that could not be read, counts as not written; maps
 * have no prototype, so that no key of a file can be one of Object's.
 */
export function toPlain(tree: Tree): unknown {
  if (tree.kind === 'scalar') return tree.value
  if (tree.kind === 'list') return tree.items.map(toPlain)
  const plain: Record<string, unknown> = Object.create(null)
  for (const [key, { value }] of tree.entries) {
    if (value.kind !== 'scalar' || value.value !== null) plain[key] = toPlain(value)
  }
  return plain
}

/** Whether any part of it was written by the operator. */
export function isWritten(tree: Tree): boolean {
  if (tree.kind === 'scalar') return tree.at !== BUILT_IN && !isNothing(tree)
  const parts =
    tree.kind === 'list' ? tree.items : [...tree.entries.values()].map((entry) => entry.value)
  return parts.length === 0 ? tree.at !== BUILT_IN : parts.some(isWritten)
}

/** Whether a value somewhere in it could not be read. */
export function hasUnread(tree: Tree): boolean {
  if (tree.kind === 'scalar') return tree.unread === true
  const parts =
    tree.kind === 'list' ? tree.items : [...tree.entries.values()].map((entry) => entry.value)
  return parts.some(hasUnread)
}

/** What stands at a path, as far as the tree goes. */
export interface Found {
  /** The place of the deepest part that exists: the key's, or the item's. */
  readonly at: Origin
  /** The path as it was written. */
  readonly text: string
  /** The part at the path itself; undefined when something on the way is missing. */
  readonly tree: Tree | undefined
}

export function find(root: MapTree, path: ConfigPath): Found {
  let tree: Tree | undefined = root
  let at = root.at
  let text = ''
  for (const step of path) {
    text = joinPath(text, step)
    if (tree?.kind === 'map') {
      const entry: Entry | undefined = tree.entries.get(String(step))
      tree = entry?.value
      if (entry !== undefined) {
        at = entry.at
        text = entry.written ?? text
      }
    } else if (tree?.kind === 'list' && typeof step === 'number') {
      tree = tree.items[step]
      if (tree !== undefined) at = tree.at
    } else tree = undefined
  }
  return { at, text, tree }
}

/** `a`, `a.b`, `a.b[0]`. A key that is no plain word is quoted. */
export function joinPath(base: string, step: string | number): string {
  if (typeof step === 'number') return `${base}[${step}]`
  const key = /^[\w$*-]+(\[\])?$/.test(step) ? step : JSON.stringify(step)
  return base === '' ? key : `${base}.${key}`
}

export const formatPath = (path: ConfigPath): string => path.reduce<string>(joinPath, '')

export function entryAt(root: MapTree, path: readonly string[]): Entry | undefined {
  let entry: Entry | undefined
  let tree: Tree | undefined = root
  for (const key of path) {
    if (tree?.kind !== 'map') return undefined
    entry = tree.entries.get(key)
    tree = entry?.value
  }
  return entry
}

/** Puts another value where one is, at the same place; does nothing where there is none. */
export function replaceValue(root: MapTree, path: ConfigPath, value: Tree): void {
  const key = path.at(-1)
  const parent = path.length === 1 ? root : find(root, path.slice(0, -1)).tree
  if (parent?.kind === 'list' && typeof key === 'number' && key < parent.items.length)
    parent.items[key] = value
  if (parent?.kind !== 'map') return
  const entry = parent.entries.get(String(key))
  if (entry !== undefined) parent.entries.set(String(key), { ...entry, value })
}

/** Takes an entry out; the maps around it stay. */
export function takeEntry(root: MapTree, path: readonly string[]): Entry | undefined {
  const parent = path.length === 1 ? root : entryAt(root, path.slice(0, -1))?.value
  const key = path.at(-1)
  if (parent?.kind !== 'map' || key === undefined) return undefined
  const entry = parent.entries.get(key)
  parent.entries.delete(key)
  return entry
}

/**
 * Puts an entry in, making the maps on the way; replaces what is there.
 * @returns false when something on the way is no map: its schema finds that fault
 */
export function putEntry(root: MapTree, path: readonly string[], entry: Entry): boolean {
  let map = root
  for (const key of path.slice(0, -1)) {
    const next = map.entries.get(key)
    if (next === undefined || isNothing(next.value)) {
      const made = emptyMap(entry.at)
      map.entries.set(key, { at: next?.at ?? entry.at, value: made })
      map = made
    } else if (next.value.kind === 'map') map = next.value
    else return false
  }
  const key = path.at(-1)
  if (key === undefined) return false
  map.entries.set(key, entry)
  return true
}
