import type { Meter } from '../question.ts'
import { unitsOf } from '../units.ts'
import type { Ranges } from './code-points.ts'
import type { Pattern } from './index.ts'
import {
  ANYWHERE,
  BEGIN,
  ENDS,
  GOES_ON,
  HITS,
  LOOPS,
  type Places,
  PlacesBuilder,
  REST,
  STAYS,
} from './places.ts'
import { parseSyntax } from './syntax.ts'

/**
 * Many patterns as one automaton: all that match a text, in one pass over it
 * (docs/decisions/010-the-pattern-engine.md).
 */
export interface PatternSet {
  /** Patterns that it does not hold: each is to be asked by itself. */
  readonly others: readonly number[]
  /**
   * @param head where the text's head ends; not inside a character
   * @param meter what it may cost, in places looked at, 5 to 10 ns each; the cost is taken off
   * @returns undefined when it would cost more
   */
  find(text: string, head: number, meter: Meter): Found | undefined
}

/** Patterns by their number, each once, in no order. Valid until the next call. */
export interface Found {
  /** Those that match the text. */
  readonly inText: readonly number[]
  /** Those that match its head, taken as a text of its own; of no use when the head is all of it. */
  readonly inHead: readonly number[]
}

export function createPatternSet(patterns: readonly Pattern[]): PatternSet {
  const builder = new PlacesBuilder()
  const others: number[] = []
  for (const [index, { source, engine }] of patterns.entries()) {
    const node = engine === 'automaton' ? parseSyntax(source) : undefined
    if (node === undefined || !builder.insert(index, node)) others.push(index)
  }
  const search = new Search(builder.build(), patterns.length)
  return { others, find: (text, head, meter) => search.find(text, head, meter) }
}

// Shared by all sets and reused from call to call: matching never waits, so no two calls overlap
let active = new Int32Array(1024)
let next = new Int32Array(1024)
/** By place: the step in which it was entered last. Steps are counted up for all sets together. */
let entered = new Float64Array(1024)
/** By place: the step in which its hits, and what it takes the rest for, were found last. */
let hit = new Float64Array(1024)
let rested = new Float64Array(1024)
let step = 0

class Search implements Found {
  readonly inText: number[] = []
  readonly inHead: number[] = []
  readonly #places: Places
  readonly #traits: Uint8Array
  readonly #isUnanchored: boolean
  /** ASCII characters that a match may begin with anywhere. */
  readonly #starts: Uint8Array
  /** By pattern: in which call it was found. */
  readonly #textCall: Float64Array
  readonly #headCall: Float64Array
  #call = 0
  /** The first step of this call. */
  #begin = 0
  #head = 0
  #newline = -1
  #entered = 0
  #left = 0

  constructor(places: Places, patterns: number) {
    this.#places = places
    this.#traits = places.traits
    this.#textCall = new Float64Array(patterns)
    this.#headCall = new Float64Array(patterns)
    this.#isUnanchored = ((places.traits[ANYWHERE] ?? 0) & STAYS) !== 0
    this.#starts = startsOf(places)
    if (places.count > active.length) {
      active = new Int32Array(places.count)
      next = new Int32Array(places.count)
      entered = new Float64Array(places.count)
      hit = new Float64Array(places.count)
      rested = new Float64Array(places.count)
    }
  }

  find(text: string, head: number, meter: Meter): Found | undefined {
    this.#call++
    this.#head = head
    this.#newline = text.lastIndexOf('\n')
    this.#entered = 0
    this.#left = meter.left
    this.inText.length = 0
    this.inHead.length = 0
    this.#begin = ++step
    for (const pattern of this.#places.always) this.#found(pattern, 0)
    this.#enter(BEGIN, 0)
    const units = unitsOf(text)
    const hasTail = head < text.length
    let done = !hasTail || this.#run(text, units, 0, head)
    if (hasTail) this.#finish(this.inHead, this.#headCall)
    done &&= this.#run(text, units, hasTail ? head : 0, text.length)
    this.#finish(this.inText, this.#textCall)
    meter.left = this.#left
    return done ? this : undefined
  }

  /** @returns false when it was too much work */
  #run(text: string, units: Uint16Array, from: number, to: number): boolean {
    for (let at = from; at < to; ) {
      let code = units[at++] ?? 0
      if ((code & 0xfc00) === 0xd800 && at < to && ((units[at] ?? 0) & 0xfc00) === 0xdc00)
        code = text.codePointAt(at++ - 1) ?? 0
      const count = this.#entered
      if (count === 0) {
        if (!this.#isUnanchored) return true
        if (code < 128 && this.#starts[code] === 0) continue
      }
      const now = next
      next = active
      active = now
      this.#entered = 0
      step++
      for (let i = 0; i < count; i++) this.#step(active[i] ?? 0, code, at)
      if (this.#isUnanchored) this.#step(ANYWHERE, code, at)
      this.#left -= count + 1
      if (this.#left < 0) return false
    }
    return true
  }

  /** From one place by one character to all that it leads to. */
  #step(place: number, code: number, at: number): void {
    const { literals, classes, own } = this.#places
    let low = literals.from[place] ?? 0
    let high = literals.from[place + 1] ?? 0
    const end = high
    while (low < high) {
      const middle = (low + high) >> 1
      if ((literals.key[middle] ?? 0) < code) low = middle + 1
      else high = middle
    }
    for (; low < end && literals.key[low] === code; low++) this.#enter(literals.to[low] ?? 0, at)
    const last = classes.from[place + 1] ?? 0
    let each = classes.from[place] ?? 0
    this.#left -= last - each
    for (; each < last; each++)
      if (this.#takes(classes.key[each] ?? 0, code)) this.#enter(classes.to[each] ?? 0, at)
    const loop = own[place] ?? -1
    if (loop >= 0 && this.#takes(loop, code)) this.#enter(place, at)
  }

  #takes(index: number, code: number): boolean {
    const { ascii, charset } = this.#places
    if (code < 128) return ((ascii[index * 4 + (code >> 5)] ?? 0) & (1 << (code & 31))) !== 0
    return isWithin(charset[index] ?? [], code)
  }

  /** @param at how much of the text was read */
  #enter(place: number, at: number): void {
    if (entered[place] === step) return
    entered[place] = step
    const traits = this.#traits[place] ?? 0
    if (traits === STAYS || traits === (STAYS | GOES_ON)) {
      next[this.#entered++] = place
      return
    }
    const { hits, ends, loops } = this.#places
    // Once is enough: a place that is met first in the head is found in both
    if ((traits & HITS) !== 0 && (hit[place] ?? 0) < this.#begin) {
      hit[place] = step
      this.#foundAll(hits.from, hits.key, place, at)
    }
    const isRest = (traits & REST) !== 0 && this.#newline < at
    if (isRest && (rested[place] ?? 0) < this.#begin) {
      rested[place] = step
      this.#foundAll(ends.from, ends.key, place, at)
    }
    if ((traits & LOOPS) !== 0) {
      const last = loops.from[place + 1] ?? 0
      for (let i = loops.from[place] ?? 0; i < last; i++) this.#enter(loops.key[i] ?? 0, at)
    }
    if ((traits & STAYS) !== 0 && (!isRest || (traits & GOES_ON) !== 0))
      next[this.#entered++] = place
  }

  #foundAll(from: Int32Array, patterns: Int32Array, place: number, at: number): void {
    const last = from[place + 1] ?? 0
    let i = from[place] ?? 0
    this.#left -= last - i
    for (; i < last; i++) this.#found(patterns[i] ?? 0, at)
  }

  #found(pattern: number, at: number): void {
    if (this.#textCall[pattern] !== this.#call) {
      this.#textCall[pattern] = this.#call
      this.inText.push(pattern)
    }
    if (at <= this.#head && this.#headCall[pattern] !== this.#call) {
      this.#headCall[pattern] = this.#call
      this.inHead.push(pattern)
    }
  }

  /** The head, or the text, ends here. */
  #finish(list: number[], calls: Float64Array): void {
    const { ends } = this.#places
    for (let i = 0; i < this.#entered; i++) {
      const place = next[i] ?? 0
      if (((this.#traits[place] ?? 0) & ENDS) === 0) continue
      const last = ends.from[place + 1] ?? 0
      for (let each = ends.from[place] ?? 0; each < last; each++) {
        const pattern = ends.key[each] ?? 0
        if (calls[pattern] === this.#call) continue
        calls[pattern] = this.#call
        list.push(pattern)
      }
    }
  }
}

function startsOf({ literals, classes, ascii }: Places): Uint8Array {
  const starts = new Uint8Array(128)
  for (let i = literals.from[ANYWHERE] ?? 0; i < (literals.from[ANYWHERE + 1] ?? 0); i++) {
    const code = literals.key[i] ?? 0
    if (code < 128) starts[code] = 1
  }
  for (let i = classes.from[ANYWHERE] ?? 0; i < (classes.from[ANYWHERE + 1] ?? 0); i++) {
    const index = classes.key[i] ?? 0
    for (let code = 0; code < 128; code++)
      if (((ascii[index * 4 + (code >> 5)] ?? 0) & (1 << (code & 31))) !== 0) starts[code] = 1
  }
  return starts
}

function isWithin(ranges: Ranges, code: number): boolean {
  for (let i = 0; i < ranges.length; i += 2) {
    if (code < (ranges[i] ?? 0)) return false
    if (code <= (ranges[i + 1] ?? 0)) return true
  }
  return false
}
