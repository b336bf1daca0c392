import type { Ranges } from './code-points.ts'
import type { GroupName, Node } from './syntax.ts'

/** One step of a pattern. `begin` and `end` hold at the ends of the text only (RE2 without `(?m)`). */
export type Step =
  | { readonly op: 'char'; readonly ranges: Ranges; position: number; readonly next: number }
  /** Two ways on, the preferred one first. */
  | { readonly op: 'split'; next: number; other: number }
  | { readonly op: 'begin' | 'end'; next: number }
  /** Remembers where the text is: slots 0 and 1 hold User, 2 and 3 hold Group. */
  | { readonly op: 'mark'; readonly slot: number; next: number }
  | { readonly op: 'match' }

export interface Program {
  readonly steps: readonly Step[]
  readonly start: number
  /** The `char` steps by position: numbered along the program, so that a chain of them is a chain of neighbours. */
  readonly characters: readonly CharStep[]
}

export type CharStep = Step & { readonly op: 'char' }

const SLOT: Readonly<Record<GroupName, number>> = { User: 0, Group: 2 }

/** Thompson's construction, with the priorities that leftmost-first matching wants (Russ Cox, regexp2). */
export function buildProgram(node: Node): Program {
  const builder = new Builder()
  const start = builder.build(node, builder.add({ op: 'match' }))
  return { steps: builder.steps, start, characters: numberCharacters(builder.steps, start) }
}

class Builder {
  readonly steps: Step[] = []

  add(step: Step): number {
    return this.steps.push(step) - 1
  }

  /** Adds the steps of a node; whatever matched goes on at `next`. Built from the end, so that `next` is always known. */
  build(node: Node, next: number): number {
    switch (node.kind) {
      case 'class':
        return this.add({ op: 'char', ranges: node.ranges, position: 0, next })
      case 'begin':
      case 'end':
        return this.add({ op: node.kind, next })
      case 'concat':
        return node.items.reduceRight((after, item) => this.build(item, after), next)
      case 'either':
        return node.items
          .map((item) => this.build(item, next))
          .reduceRight((other, first) => this.add({ op: 'split', next: first, other }))
      case 'repeat':
        return this.#repeat(node, next)
      case 'capture': {
        const slot = SLOT[node.name]
        const close = this.add({ op: 'mark', slot: slot + 1, next })
        return this.add({ op: 'mark', slot, next: this.build(node.item, close) })
      }
      default:
        return node satisfies never
    }
  }

  #repeat(node: Node & { kind: 'repeat' }, next: number): number {
    const { item, min, max, greedy } = node
    let entry = next
    if (max === Infinity) {
      entry = this.#loop(item, greedy, next, min === 0)
    } else {
      // x{2,4} is x x (x (x)?)?
      for (let i = min; i < max; i++) entry = this.#split(greedy, this.build(item, entry), next)
    }
    const copies = max === Infinity ? min - 1 : min
    for (let i = 0; i < copies; i++) entry = this.build(item, entry)
    return entry
  }

  /** x+, or x* when `optional`. A body that may be empty is tried once before leaving: (x+)?, as RE2 does. */
  #loop(item: Node, greedy: boolean, next: number, optional: boolean): number {
    const again: Step & { op: 'split' } = { op: 'split', next: -1, other: -1 }
    const at = this.add(again)
    const body = this.build(item, at)
    again.next = greedy ? body : next
    again.other = greedy ? next : body
    if (!optional) return body
    return isNullable(item) ? this.#split(greedy, body, next) : at
  }

  #split(greedy: boolean, body: number, next: number): number {
    return greedy
      ? this.add({ op: 'split', next: body, other: next })
      : this.add({ op: 'split', next, other: body })
  }
}

function numberCharacters(steps: readonly Step[], start: number): readonly CharStep[] {
  const characters: CharStep[] = []
  const seen = new Set<number>()
  const stack = [start]
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const step = steps[at]
    if (step === undefined || step.op === 'match' || seen.has(at)) continue
    seen.add(at)
    if (step.op === 'char') step.position = characters.push(step) - 1
    if (step.op === 'split') stack.push(step.other)
    stack.push(step.next)
  }
  return characters
}

/** Whether the node can match nothing at all (assertions count as nothing). */
function isNullable(node: Node): boolean {
  switch (node.kind) {
    case 'class':
      return false
    case 'begin':
    case 'end':
      return true
    case 'concat':
      return node.items.every(isNullable)
    case 'either':
      return node.items.some(isNullable)
    case 'repeat':
      return node.min === 0 || isNullable(node.item)
    case 'capture':
      return isNullable(node.item)
    default:
      return node satisfies never
  }
}
