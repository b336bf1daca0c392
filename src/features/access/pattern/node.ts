/** What a pattern is, once its syntax was read. */
import type { Ranges } from './code-points.ts'

export type Node =
  | { readonly kind: 'class'; readonly ranges: Ranges }
  | { readonly kind: 'begin' | 'end' }
  | { readonly kind: 'concat' | 'either'; readonly items: readonly Node[] }
  | {
      readonly kind: 'repeat'
      readonly item: Node
      readonly min: number
      readonly max: number
      readonly greedy: boolean
    }
  | { readonly kind: 'capture'; readonly name: GroupName; readonly item: Node }

/** The named groups that mean something to a rule; every other group only groups. */
export type GroupName = 'User' | 'Group'

/** How many characters the pattern's automaton has to tell apart. */
export function positions(node: Node): number {
  switch (node.kind) {
    case 'class':
      return 1
    case 'begin':
    case 'end':
      return 0
    case 'concat':
    case 'either':
      return node.items.reduce((sum, item) => sum + positions(item), 0)
    case 'repeat':
      return positions(node.item) * (node.max === Infinity ? Math.max(1, node.min) : node.max)
    case 'capture':
      return positions(node.item)
    default:
      return node satisfies never
  }
}

/** The greatest product of nested repetition counts, as RE2 counts it. */
export function repeats(node: Node): number {
  switch (node.kind) {
    case 'class':
    case 'begin':
    case 'end':
      return 1
    case 'concat':
    case 'either':
      return node.items.reduce((most, item) => Math.max(most, repeats(item)), 1)
    case 'repeat': {
      const times = node.max === Infinity ? node.min : node.max
      return repeats(node.item) * Math.max(1, times)
    }
    case 'capture':
      return repeats(node.item)
    default:
      return node satisfies never
  }
}
