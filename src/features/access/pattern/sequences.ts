import type { Ranges } from './code-points.ts'
import type { Node } from './syntax.ts'

/**
 * One way through a pattern, as far as it is a plain sequence. Patterns that begin alike have equal sequences up to where
 * they differ: that is what a set of patterns shares.
 */
export interface Sequence {
  /** Matches at the beginning of the text only. */
  readonly anchored: boolean
  readonly items: readonly Item[]
  /** Matches at the end of the text only. */
  readonly atEnd: boolean
  /** What follows the items and is no plain sequence. */
  readonly tail: Node | undefined
}

/** A character of a class; or any number of them, none included. */
export interface Item {
  readonly op: 'char' | 'loop'
  readonly ranges: Ranges
}

/** More ways through one pattern are not written out: what is left of it becomes a tail. */
const MAX_WAYS = 32

/** A piece of a way. */
type Part = Item | { readonly op: 'begin' } | { readonly op: 'end' }
type Way = readonly Part[]

/**
 * The ways through a pattern: `^/a(/.*)?$` is `^/a$` and `^/a/.*$`. A way that can match nothing is left out.
 * @returns undefined when an assertion stands where sequences have none (`.*^a`)
 */
export function sequencesOf(node: Node): readonly Sequence[] | undefined {
  const branches = node.kind === 'either' ? node.items : [node]
  const sequences: Sequence[] = []
  for (const branch of branches) {
    const { ways, tail } = waysThrough(branch.kind === 'concat' ? branch.items : [branch])
    for (const way of ways) {
      const sequence = sequenceOf(way, tail)
      if (sequence === undefined) return undefined
      if (sequence !== 'never') sequences.push(sequence)
    }
  }
  return sequences
}

/** Multiplies the ways through one node after the other out, until they are too many. */
function waysThrough(nodes: readonly Node[]): { ways: readonly Way[]; tail: Node | undefined } {
  let ways: Part[][] = [[]]
  for (const [index, node] of nodes.entries()) {
    const next = waysOf(node)
    if (next === undefined || ways.length * next.length > MAX_WAYS)
      return { ways, tail: { kind: 'concat', items: nodes.slice(index) } }
    const [only] = next
    if (only !== undefined && next.length === 1) for (const way of ways) way.push(...only)
    else ways = ways.flatMap((way) => next.map((more) => [...way, ...more]))
  }
  return { ways, tail: undefined }
}

/** @returns undefined for what is no plain sequence, or too many of them */
function waysOf(node: Node): readonly Way[] | undefined {
  switch (node.kind) {
    case 'class':
      return [[{ op: 'char', ranges: node.ranges }]]
    case 'begin':
    case 'end':
      return [[{ op: node.kind }]]
    case 'capture':
      return waysOf(node.item)
    case 'concat': {
      const { ways, tail } = waysThrough(node.items)
      return tail === undefined ? ways : undefined
    }
    case 'either': {
      const ways: Way[] = []
      for (const item of node.items) {
        const some = waysOf(item)
        if (some === undefined || ways.length + some.length > MAX_WAYS) return undefined
        ways.push(...some)
      }
      return ways
    }
    case 'repeat':
      return waysOfRepeat(node)
    default:
      return node satisfies never
  }
}

function waysOfRepeat({ item, min, max }: Node & { kind: 'repeat' }): readonly Way[] | undefined {
  if (max === Infinity) {
    if (item.kind !== 'class') return undefined
    const { ranges } = item
    const copies = Array.from({ length: min }, (): Item => ({ op: 'char', ranges }))
    return [[...copies, { op: 'loop', ranges }]]
  }
  if (max - min >= MAX_WAYS) return undefined
  const ways: Way[] = []
  for (let count = min; count <= max; count++) {
    const some = waysThrough(Array.from({ length: count }, () => item))
    if (some.tail !== undefined || ways.length + some.ways.length > MAX_WAYS) return undefined
    ways.push(...some.ways)
  }
  return ways
}

/** @returns `never` for a way that no text can take: something before its beginning, or behind its end */
function sequenceOf(way: Way, tail: Node | undefined): Sequence | 'never' | undefined {
  const items: Item[] = []
  let [anchored, atEnd] = [false, false]
  for (const part of way) {
    if (part.op === 'end') atEnd = true
    else if (part.op === 'begin') {
      if (items.some(({ op }) => op === 'char')) return 'never'
      // The loop would have to take nothing
      if (items.length > 0) return undefined
      anchored = true
    } else if (!atEnd) items.push(part)
    // A loop behind the end takes nothing
    else if (part.op === 'char') return 'never'
  }
  if (tail !== undefined && (atEnd || (hasBegin(tail) && (anchored || items.length > 0))))
    return undefined
  // Nothing has to follow where anything may: `^/a.*` is `^/a`
  if (!atEnd && tail === undefined) while (items.at(-1)?.op === 'loop') items.pop()
  return { anchored, items, atEnd, tail }
}

function hasBegin(node: Node): boolean {
  switch (node.kind) {
    case 'class':
    case 'end':
      return false
    case 'begin':
      return true
    case 'concat':
    case 'either':
      return node.items.some(hasBegin)
    case 'repeat':
    case 'capture':
      return hasBegin(node.item)
    default:
      return node satisfies never
  }
}
