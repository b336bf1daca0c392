import { type Known, knownOf } from './known.ts'
import type { Slices } from './slices.ts'
import { asksForSomething, type MapTree, type Tree } from './tree.ts'

/** The sources, as they were named, in which a secret is written. */
export function secretsIn(root: MapTree, slices: Slices): readonly string[] {
  const sources = new Set<string>()
  walk(root, knownOf(slices), sources)
  return [...sources]
}

function walk(tree: Tree, node: Known, sources: Set<string>): void {
  if (tree.kind === 'scalar') {
    if (node.leaf?.secret === true && asksForSomething(tree)) sources.add(tree.at.source)
  } else if (tree.kind === 'list') {
    if (node.item !== undefined && holdsSecret(node.item))
      for (const item of tree.items) walk(item, node.item, sources)
  } else {
    for (const [key, entry] of tree.entries) {
      const below = node.keys.get(key) ?? node.any
      if (below !== undefined) walk(entry.value, below, sources)
    }
  }
}

/** Ten thousand rules have no secret: they are not walked through. */
function holdsSecret(node: Known): boolean {
  return (
    node.leaf?.secret === true ||
    [...node.keys.values(), node.any, node.item].some((next) => next && holdsSecret(next))
  )
}
