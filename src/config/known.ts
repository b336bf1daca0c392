/** Every key there is: those that a feature reads, and those that are known but have no effect yet. */
import type { z } from 'zod'
import { scalarMeta } from '../kernel/scalars.ts'
import type { Tree } from './tree.ts'

export type ScalarType = 'string' | 'number' | 'boolean'

/** What a single value may be. */
export interface Leaf {
  readonly types: Set<ScalarType>
  /** The listed values, when it is one of a list. */
  readonly values: Set<string | number | boolean>
  secret: boolean
  /** How the reference names the type: `duration`, `network`, `url`. */
  form: string | undefined
  /** An empty text is refused here, and does not count as not written. */
  criterion: boolean
  /** The key has no effect: the warning for a configuration that sets it. */
  idle: string | undefined
  /** What 0 is here, where Authelia takes its default for it. */
  zero: string | undefined
}

/** What is known of a key that no feature reads yet. */
export interface Unread {
  /** Makes the schema: most of these keys are never met. */
  readonly schema: () => z.ZodType
  /** Undefined: none. */
  readonly standard: unknown
  readonly required: boolean
  /** An empty text counts as not written. */
  readonly mayBeEmpty: boolean
}

export interface Known {
  readonly keys: Map<string, Known>
  /** What any other key holds: a map with free keys. */
  any: Known | undefined
  /** What an item holds, when it may be a list. */
  item: Known | undefined
  /** What it holds when it may be a single value. */
  leaf: Leaf | undefined
  /** The schema takes anything: it alone knows. */
  open: boolean
  /** A feature reads it, or something inside it. */
  built: boolean
  /** What it may hold, for a key that no feature reads yet. */
  unread: Unread | undefined
  /** What the key is for, where no feature reads it yet. For any other key its schema says it. */
  about: string | undefined
  /** The key of today that this is an old or second name of. */
  nameOf: string | undefined
}

export const unknown = (built: boolean): Known => ({
  keys: new Map(),
  any: undefined,
  item: undefined,
  leaf: undefined,
  open: false,
  built,
  unread: undefined,
  about: undefined,
  nameOf: undefined,
})

/** The keys of all slices, by their dotted paths. */
export function knownOf(slices: Readonly<Record<string, z.ZodType>>): Known {
  const root = unknown(true)
  for (const [path, schema] of Object.entries(slices)) {
    learn(schema, path.split('.').reduce(child, root))
  }
  return root
}

function child(node: Known, key: string): Known {
  let next = node.keys.get(key)
  if (next === undefined) {
    next = unknown(true)
    node.keys.set(key, next)
  }
  return next
}

function leafOf(node: Known): Leaf {
  node.leaf ??= {
    types: new Set(),
    values: new Set(),
    secret: false,
    form: undefined,
    criterion: false,
    idle: undefined,
    zero: undefined,
  }
  return node.leaf
}

/** Reads the input side of a schema: what may be written, not what comes out. */
function learn(schema: z.core.$ZodType, node: Known): void {
  const meta = scalarMeta.get(schema as z.ZodType) // the registry's type is the classic one; its map takes any schema
  learnShape(schema, node)
  if (meta === undefined || node.leaf === undefined) return
  node.leaf.secret ||= meta.secret === true
  node.leaf.form ??= meta.form
  node.leaf.criterion ||= meta.criterion === true
  node.leaf.idle ??= meta.idle
  node.leaf.zero ??= meta.zero
}

function learnShape(schema: z.core.$ZodType, node: Known): void {
  // Every schema that zod itself makes is one of these; the default branch takes what a later zod adds.
  const { def } = (schema as z.core.$ZodTypes)._zod
  switch (def.type) {
    case 'optional':
    case 'nullable':
    case 'default':
    case 'prefault':
    case 'nonoptional':
    case 'readonly':
    case 'catch':
      learn(def.innerType, node)
      break
    case 'lazy':
      learn(def.getter(), node)
      break
    case 'pipe': {
      const first = (def.in as z.core.$ZodTypes)._zod.def.type // as above
      learn(first === 'transform' ? def.out : def.in, node)
      break
    }
    case 'object':
      for (const [key, value] of Object.entries(def.shape)) learn(value, child(node, key))
      if (def.catchall !== undefined && def.catchall._zod.def.type !== 'never') node.open = true
      break
    case 'record':
      node.any ??= unknown(true)
      learn(def.valueType, node.any)
      break
    case 'array':
      node.item ??= unknown(true)
      learn(def.element, node.item)
      break
    case 'union':
      for (const option of def.options) learn(option, node)
      break
    case 'intersection':
      learn(def.left, node)
      learn(def.right, node)
      break
    case 'string':
    case 'number':
    case 'boolean':
      leafOf(node).types.add(def.type)
      break
    case 'template_literal':
      leafOf(node).types.add('string')
      break
    case 'enum':
      learnValues(Object.values(def.entries), node)
      break
    case 'literal':
      learnValues(def.values, node)
      break
    case 'null':
    case 'undefined':
    case 'void':
    case 'never':
      break
    default:
      node.open = true
  }
}

function learnValues(values: readonly unknown[], node: Known): void {
  const leaf = leafOf(node)
  for (const value of values) {
    if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean') {
      leaf.types.add(typeof value as ScalarType) // the three of the condition above
      leaf.values.add(value)
    }
  }
}

export function expandBraces(pattern: string): string[] {
  const [, before = '', list, after = ''] = /^([^{}]*)\{([^{}]*)\}(.*)$/.exec(pattern) ?? []
  if (list === undefined) return [pattern]
  return list.split(',').flatMap((part) => expandBraces(`${before}${part}${after}`))
}

/**
 * Adds a key that no feature reads yet; one that a feature reads stays as it is.
 * @param pattern a path with `[]` for an item, `*` for a free key, `**` for anything below, `{a,b}` for one of several
 * @returns what it led to
 */
export const addPath = (root: Known, pattern: string): Known[] =>
  expandBraces(pattern).map((path) => addSinglePath(root, path))

function addSinglePath(root: Known, path: string): Known {
  let node = root
  for (const part of path.split('.')) {
    const key = part.replace(/\[\]$/, '')
    if (key === '**') {
      node.open ||= !node.built
      return node
    }
    if (key === '*') {
      node.any ??= unknown(false)
      node = node.any
    } else {
      let next = node.keys.get(key)
      if (next === undefined) {
        next = unknown(false)
        node.keys.set(key, next)
      }
      node = next
    }
    if (part.endsWith('[]')) {
      node.item ??= unknown(false)
      node = node.item
    }
  }
  return node
}

/** Every key as a pattern, with whether a feature reads it: for suggestions and the check of the data. */
export function* patternsOf(node: Known, base = ''): Generator<{ pattern: string; node: Known }> {
  for (const [key, next] of node.keys) {
    const pattern = base === '' ? key : `${base}.${key}`
    yield { pattern, node: next }
    yield* patternsOf(next, pattern)
  }
  if (node.any !== undefined) {
    yield { pattern: `${base}.*`, node: node.any }
    yield* patternsOf(node.any, `${base}.*`)
  }
  if (node.item !== undefined) yield* patternsOf(node.item, `${base}[]`)
}

/** The key at a path of a tree, as far as it is known. */
export function knownAt(root: Known, path: readonly (string | number)[]): Known | undefined {
  let node: Known | undefined = root
  for (const step of path) {
    if (node === undefined) return undefined
    node = typeof step === 'number' ? settled(node).item : (node.keys.get(step) ?? node.any)
  }
  return node && settled(node)
}

/** With what its schema says of it, which is only asked for now. */
export function settled(node: Known): Known {
  if (node.unread !== undefined && node.leaf === undefined && node.item === undefined)
    learn(node.unread.schema(), node)
  return node
}

/** Whether a key was written that no feature reads. */
export function hasUnsupported(tree: Tree, node: Known): boolean {
  if (tree.kind === 'list') {
    const { item } = node
    if (item !== undefined) for (const one of tree.items) if (hasUnsupported(one, item)) return true
    return false
  }
  const takesKeys = node.keys.size > 0 || node.any !== undefined
  if (tree.kind === 'scalar' || node.open || !takesKeys) return false
  for (const [key, { value }] of tree.entries) {
    const child = node.keys.get(key) ?? node.any
    if (child === undefined || !child.built) return true
    if (value.kind !== 'scalar' && hasUnsupported(value, child)) return true
  }
  return false
}
