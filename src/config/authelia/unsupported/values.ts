/** What is wrong with the values of keys that no feature reads yet. */
import type { ConfigPath } from '../../../kernel/feature.ts'
import { asMeant } from '../../as-meant.ts'
import { describe } from '../../describe.ts'
import { type Fault, NOT_ALLOWED, placeOf } from '../../faults.ts'
import { explainIssues, foundText } from '../../issues.ts'
import { type Known, settled } from '../../known.ts'
import { isNothing, joinPath, type MapTree, type Origin, type Tree, toPlain } from '../../tree.ts'

/** A key, and where it was written. */
export interface Spot {
  readonly path: ConfigPath
  /** The path as it was written. */
  readonly text: string
  readonly at: Origin
}

/**
 * @param value without unknown keys, which are said elsewhere
 * @param root the whole tree that it stands in
 */
export function valueFaults(
  value: Tree,
  node: Known,
  spot: Spot,
  root: MapTree,
  known: Known,
): Fault[] {
  if (isNothing(value) || node.open) return []
  if (value.kind === 'scalar' && (value.unread || isUnset(value.value, node))) return []
  if (node.unread !== undefined) {
    const schema = node.unread.schema()
    const { success, error } = schema.safeParse(toPlain(value))
    // It has no effect: how it is read need not be said as well.
    if (success || schema.safeParse(toPlain(meantBy(value, settled(node)))).success) return []
    return explainIssues(error.issues, spot.path, root, known)
  }
  if (value.kind === 'list' && node.item !== undefined) {
    const { item } = node
    return value.items.flatMap((one, i) => {
      const inner = { path: [...spot.path, i], text: joinPath(spot.text, i), at: one.at }
      return valueFaults(one, item, inner, root, known)
    })
  }
  const takesKeys = node.keys.size > 0 || node.any !== undefined
  if (value.kind === 'map' && takesKeys) return mapFaults(value, node, spot, root, known)
  if (node.item === undefined && !takesKeys) return []
  const found = foundText(value, node, spot.path)
  const allowed = node.item === undefined ? 'a map' : 'a list'
  return [
    {
      ...placeOf(spot.at),
      path: spot.text,
      message: NOT_ALLOWED,
      allowed,
      ...(found && { found }),
    },
  ]
}

function mapFaults(value: MapTree, node: Known, spot: Spot, root: MapTree, known: Known): Fault[] {
  const faults: Fault[] = []
  for (const [key, child] of node.keys) {
    const entry = value.entries.get(key)
    if (child.nameOf !== undefined) continue
    if (child.unread?.required && (entry === undefined || isNothing(entry.value))) {
      const place = placeOf(entry?.at ?? spot.at)
      const allowed = describe(settled(child))
      faults.push({ ...place, path: joinPath(spot.text, key), message: 'is missing', allowed })
    }
  }
  for (const [key, entry] of value.entries) {
    const child = node.keys.get(key) ?? node.any
    if (child === undefined) continue
    const text = entry.written ?? joinPath(spot.text, key)
    const inner = { path: [...spot.path, key], text, at: entry.at }
    faults.push(...valueFaults(entry.value, child, inner, root, known))
  }
  return faults
}

function meantBy(value: Tree, node: Known): Tree {
  const { item } = node
  if (value.kind !== 'list' || item === undefined) return asMeant(value, node)?.value ?? value
  return { ...value, items: value.items.map((one) => asMeant(one, item)?.value ?? one) }
}

/** Old templates of Authelia are full of `key: ''`. */
const isUnset = (value: unknown, { unread }: Known): boolean =>
  value === '' && unread?.mayBeEmpty === true
