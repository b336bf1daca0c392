import { type Known, knownOf } from './known.ts'
import type { Slices } from './slices.ts'
import { asksForSomething, type MapTree, type Tree } from './tree.ts'

/** The sources, as they were named, in which a secret is written. */
export function secretsIn(root: MapTree, slices: Slices): readonly string[] {
  const sources = new Set<string>()
  walk(root, knownOf(slices), sources)
  return [...sources]
}

function walk(tree: Tree, node: Known | undefined, sources: Set<string>): void {
  if (node === undefined) return
  if (tree.kind === 'scalar') {
    if (node.leaf?.secret === true && asksForSomething(tree)) sources.add(tree.at.source)
  } else if (tree.kind === 'list') {
    for (const item of tree.items) walk(item, node.item, sources)
  } else {
    for (const [key, entry] of tree.entries) {
      const below = node.keys.get(key) ?? node.any
      walk(entry.value, below, sources)
    }
  }
}
