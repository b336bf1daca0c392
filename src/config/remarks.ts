/** What keys say of themselves when they are written: that they do nothing, or that their 0 is not Authelia's. */
import { parseDuration } from '../kernel/duration.ts'
import { type Notice, placeOf } from './faults.ts'
import type { Known, Leaf } from './known.ts'
import { isWritten, joinPath, type MapTree, type Origin, type Tree } from './tree.ts'

/** @param root under today's names */
export function remarks(root: MapTree, known: Known): Notice[] {
  const notices: Notice[] = []

  function look(tree: Tree, node: Known, at: Origin, path: string): void {
    if (node.leaf !== undefined && tree.kind === 'scalar') {
      const message = remarkOn(tree.value, node.leaf)
      if (message !== undefined && isWritten(tree)) notices.push({ ...placeOf(at), path, message })
    } else if (tree.kind === 'list' && node.item !== undefined) {
      const { item } = node
      for (const [i, one] of tree.items.entries()) look(one, item, one.at, joinPath(path, i))
    } else if (tree.kind === 'map') {
      for (const [key, entry] of tree.entries) {
        const child = node.keys.get(key) ?? node.any
        if (child?.built && isRemarkable(child))
          look(entry.value, child, entry.at, entry.written ?? joinPath(path, key))
      }
    }
  }

  look(root, known, root.at, '')
  return notices
}

/** Ten thousand rules have nothing to remark on: they are not walked through. */
function isRemarkable(node: Known): boolean {
  return (
    node.leaf?.idle !== undefined ||
    node.leaf?.zero !== undefined ||
    [...node.keys.values(), node.any, node.item].some((next) => next && isRemarkable(next))
  )
}

function remarkOn(value: unknown, { idle, zero }: Leaf): string | undefined {
  // What is off and does nothing is off.
  if (idle !== undefined && value !== false && value !== '') return idle
  const isZero = typeof value === 'number' || typeof value === 'string'
  if (zero !== undefined && isZero && parseDuration(value) === 0)
    return `is 0, which ${zero} here; in Authelia it means the default`
  return undefined
}
