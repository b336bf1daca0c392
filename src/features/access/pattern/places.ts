import { closure } from './automaton.ts'
import { covers, NOT_NEWLINE, type Ranges } from './code-points.ts'
import { buildProgram } from './program.ts'
import { type Sequence, sequencesOf } from './sequences.ts'
import type { Node } from './syntax.ts'

/**
 * The automaton of a set of patterns, as flat numbers. A place stands for what was read so far; sequences that begin alike
 * share their places (a trie), so that ten thousand patterns of `^/app…` are in a handful of places at a time.
 */
export interface Places {
  readonly count: number
  /** By place: where its entries begin in the lists that follow; one more than there are places. */
  readonly literals: Lists
  readonly classes: Lists
  readonly loops: Lists
  /** Patterns that have matched, whatever follows; at the end of the text. */
  readonly hits: Lists
  readonly ends: Lists
  /** By place: the class of which it takes any number, or -1. */
  readonly own: Int32Array
  readonly traits: Uint8Array
  readonly charset: readonly Ranges[]
  /** By class, four words: which of the 128 ASCII characters are in it. */
  readonly ascii: Int32Array
  /** Patterns that match every text. */
  readonly always: readonly number[]
}

/** A list for each place, one behind the other. */
export interface Lists {
  readonly from: Int32Array
  /** What is compared: a code point or a class; for the others the value itself. */
  readonly key: Int32Array
  readonly to: Int32Array
}

/** Where a match of an anchored sequence begins; of any other one. */
export const BEGIN = 0
export const ANYWHERE = 1

export const HITS = 1
export const ENDS = 2
export const LOOPS = 4
/** It takes characters, or waits for the end. */
export const STAYS = 8
/** It takes what is left of the text unless there is a newline in it, and then has matched. */
export const REST = 16
/** There is more to it than REST. */
export const GOES_ON = 32

type Kind = 'literals' | 'classes' | 'loops' | 'hits' | 'ends'

/** Labels of ways from place to place: a code point, or one of these and the number of a class. */
const CLASS = 0x11_0000
const LOOP = 0x18_0000

export class PlacesBuilder {
  readonly #lists: Record<Kind, { at: number[]; key: number[]; to: number[] }> = {
    literals: { at: [], key: [], to: [] },
    classes: { at: [], key: [], to: [] },
    loops: { at: [], key: [], to: [] },
    hits: { at: [], key: [], to: [] },
    ends: { at: [], key: [], to: [] },
  }
  /** Ways that sequences share, by place and label. */
  readonly #ways = new Ways()
  readonly #classes = new Map<string, number>()
  readonly #charset: Ranges[] = []
  readonly #own: number[] = [-1, -1]
  readonly #always = new Set<number>()

  /** @returns false for a pattern that the set cannot hold */
  insert(pattern: number, node: Node): boolean {
    const sequences = sequencesOf(node)
    if (sequences === undefined) return false
    for (const sequence of sequences) this.#insertSequence(pattern, sequence)
    return true
  }

  #insertSequence(pattern: number, { anchored, items, atEnd, tail }: Sequence): void {
    let place = anchored ? BEGIN : ANYWHERE
    // A match that may begin anywhere may begin behind a loop
    const first = anchored ? 0 : items.findIndex(({ op }) => op === 'char')
    for (const { op, ranges } of first === -1 ? [] : items.slice(first)) {
      const label = op === 'loop' ? LOOP + this.#classOf(ranges) : this.#labelOf(ranges)
      place = this.#way(place, label)
    }
    if (tail !== undefined) this.#insertTail(pattern, place, tail)
    else if (place === ANYWHERE) this.#always.add(pattern)
    else this.#add(atEnd ? 'ends' : 'hits', place, pattern)
  }

  #way(from: number, label: number): number {
    const known = this.#ways.get(from, label)
    if (known !== -1) return known
    const to = this.#own.push(label >= LOOP ? label - LOOP : -1) - 1
    if (label >= LOOP) this.#add('loops', from, to)
    else if (label >= CLASS) this.#add('classes', from, label - CLASS, to)
    else this.#add('literals', from, label, to)
    this.#ways.set(from, label, to)
    return to
  }

  /** What is no sequence: a place for each of its characters, which no other pattern shares. */
  #insertTail(pattern: number, place: number, tail: Node): void {
    const program = buildProgram(tail)
    const base = this.#own.length
    for (const _ of program.characters) this.#own.push(-1)
    const connect = (from: number, step: number, atBegin: boolean) => {
      const { positions, matches } = closure(program, step, atBegin, false)
      for (const position of positions) {
        const label = this.#labelOf(program.characters[position]?.ranges ?? [])
        const to = base + position
        if (label >= CLASS) this.#add('classes', from, label - CLASS, to)
        else this.#add('literals', from, label, to)
      }
      if (matches) this.#add('hits', from, pattern)
      else if (closure(program, step, atBegin, true).matches) this.#add('ends', from, pattern)
    }
    if (place === ANYWHERE) {
      // It may ask for the beginning itself
      connect(BEGIN, program.start, true)
      if (closure(program, program.start, false, true).matches) this.#always.add(pattern)
    }
    connect(place, program.start, place === BEGIN)
    for (const { position, next } of program.characters) connect(base + position, next, false)
  }

  #labelOf(ranges: Ranges): number {
    const [low = 0, high] = ranges
    return ranges.length === 2 && low === high ? low : CLASS + this.#classOf(ranges)
  }

  #classOf(ranges: Ranges): number {
    const key = ranges.join()
    const known = this.#classes.get(key)
    if (known !== undefined) return known
    const index = this.#charset.push(ranges) - 1
    this.#classes.set(key, index)
    return index
  }

  #add(kind: Kind, at: number, key: number, to = 0): void {
    const list = this.#lists[kind]
    list.at.push(at)
    list.key.push(key)
    list.to.push(to)
  }

  build(): Places {
    const count = this.#own.length
    const { literals, classes, loops, hits, ends } = this.#lists
    const places = {
      count,
      literals: listsOf(count, literals),
      classes: listsOf(count, classes),
      loops: listsOf(count, loops),
      hits: listsOf(count, hits),
      ends: listsOf(count, ends),
      own: Int32Array.from(this.#own),
      charset: this.#charset,
      ascii: asciiOf(this.#charset),
      always: [...this.#always],
    }
    return { ...places, traits: traitsOf(places) }
  }
}

/** Sorted by place, then by key. */
function listsOf(
  count: number,
  list: { at: readonly number[]; key: readonly number[]; to: readonly number[] },
): Lists {
  const from = new Int32Array(count + 1)
  for (const place of list.at) from[place + 1] = (from[place + 1] ?? 0) + 1
  for (let place = 0; place < count; place++)
    from[place + 1] = (from[place + 1] ?? 0) + (from[place] ?? 0)
  const end = from.slice(0, count)
  const key = new Int32Array(list.at.length)
  const to = new Int32Array(list.at.length)
  for (const [index, place] of list.at.entries()) {
    const own = list.key[index] ?? 0
    let at = end[place] ?? 0
    end[place] = at + 1
    for (; at > (from[place] ?? 0) && (key[at - 1] ?? 0) > own; at--) {
      key[at] = key[at - 1] ?? 0
      to[at] = to[at - 1] ?? 0
    }
    key[at] = own
    to[at] = list.to[index] ?? 0
  }
  return { from, key, to }
}

function asciiOf(charset: readonly Ranges[]): Int32Array {
  const ascii = new Int32Array(charset.length * 4)
  for (const [index, ranges] of charset.entries()) {
    for (let i = 0; i < ranges.length; i += 2) {
      for (let code = ranges[i] ?? 0; code <= Math.min(127, ranges[i + 1] ?? -1); code++) {
        const word = index * 4 + (code >> 5)
        ascii[word] = (ascii[word] ?? 0) | (1 << (code & 31))
      }
    }
  }
  return ascii
}

function traitsOf({
  count,
  literals,
  classes,
  loops,
  hits,
  ends,
  own,
  charset,
}: Omit<Places, 'traits'>): Uint8Array {
  const rest = charset.map((ranges) => covers(ranges, NOT_NEWLINE))
  const has = ({ from }: Lists, place: number) => (from[place] ?? 0) < (from[place + 1] ?? 0)
  return Uint8Array.from({ length: count }, (_, place) => {
    const loop = own[place] ?? -1
    const goesOn = has(literals, place) || has(classes, place)
    const waits = has(ends, place)
    return (
      (has(hits, place) ? HITS : 0) |
      (waits ? ENDS : 0) |
      (has(loops, place) ? LOOPS : 0) |
      (goesOn || waits || loop >= 0 ? STAYS : 0) |
      (waits && rest[loop] === true ? REST : 0) |
      (goesOn || has(loops, place) ? GOES_ON : 0)
    )
  })
}

/** Where a label leads from a place: a hash table of numbers, as a hundred thousand of them are looked up at a start. */
class Ways {
  #table = new Int32Array(3 * 1024).fill(-1)
  #size = 0

  /** @returns -1 for nowhere */
  get(from: number, label: number): number {
    return this.#table[this.#slot(from, label) + 2] ?? -1
  }

  set(from: number, label: number, to: number): void {
    if (this.#size++ * 6 > this.#table.length) this.#grow()
    this.#table.set([from, label, to], this.#slot(from, label))
  }

  #slot(from: number, label: number): number {
    const slots = this.#table.length / 3
    let slot = (Math.imul(Math.imul(from, 0x9e3779b1) ^ label, 0x85ebca6b) >>> 7) % slots
    for (;;) {
      const at = slot * 3
      const there = this.#table[at]
      if (there === -1 || (there === from && this.#table[at + 1] === label)) return at
      slot = slot + 1 === slots ? 0 : slot + 1
    }
  }

  #grow(): void {
    const old = this.#table
    this.#table = new Int32Array(old.length * 2).fill(-1)
    for (let at = 0; at < old.length; at += 3) {
      const from = old[at] ?? -1
      if (from === -1) continue
      const label = old[at + 1] ?? 0
      this.#table.set([from, label, old[at + 2] ?? 0], this.#slot(from, label))
    }
  }
}
