/**
 * Reads the part of RE2's syntax that our own automaton runs. What it does not read (word boundaries, Unicode classes,
 * `(?m)`, `(?U)`, `\Q`, more than MAX_POSITIONS characters) and what RE2 refuses is left to re2js: `undefined`.
 * Everything it accepts, RE2 accepts with the same meaning (test/access/pattern.test.ts compares the two).
 */

import {
  foldAscii,
  MAX_CODE_POINT,
  NOT_NEWLINE,
  negate,
  normalise,
  type Ranges,
} from './code-points.ts'
import { type GroupName, type Node, positions, repeats } from './node.ts'

export type { GroupName, Node }

/** Sixteen words of state: past that, simulating all of them at once is slower than re2js. */
export const MAX_POSITIONS = 512
/** RE2's own limit on the product of nested repetitions. */
const MAX_REPEAT = 1000
const MAX_SOURCE = 1000

/** Not ours to read. Thrown inside this file only. */
class Elsewhere extends Error {}
const elsewhere = (): never => {
  throw new Elsewhere()
}

/** @returns undefined when the pattern is not in our part of the syntax, or is no pattern at all */
export function parseSyntax(source: string): Node | undefined {
  if (source.length > MAX_SOURCE) return undefined
  try {
    const reader = new Reader(source)
    const node = reader.alternatives()
    return reader.done() && positions(node) <= MAX_POSITIONS && repeats(node) <= MAX_REPEAT
      ? node
      : undefined
  } catch (error) {
    if (error instanceof Elsewhere) return undefined
    throw error
  }
}

const DIGIT: Ranges = [0x30, 0x39]
const WORD: Ranges = [0x30, 0x39, 0x41, 0x5a, 0x5f, 0x5f, 0x61, 0x7a]
const SPACE: Ranges = [0x09, 0x0a, 0x0c, 0x0d, 0x20, 0x20]
const PERL: Readonly<Record<string, Ranges>> = { d: DIGIT, w: WORD, s: SPACE }
const CONTROLS: Readonly<Record<string, number>> = {
  a: 7,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
}

class Reader {
  readonly #source: string
  #at = 0
  #fold = false
  #dotAll = false
  readonly #names = new Set<string>()

  constructor(source: string) {
    this.#source = source
  }

  done(): boolean {
    return this.#at === this.#source.length
  }

  alternatives(): Node {
    const branches = [this.#sequence()]
    while (this.#eat('|')) branches.push(this.#sequence())
    const [only] = branches
    return branches.length === 1 && only !== undefined ? only : { kind: 'either', items: branches }
  }

  #sequence(): Node {
    const items: Node[] = []
    for (;;) {
      const next = this.#peek()
      if (next === '' || next === '|' || next === ')') return { kind: 'concat', items }
      const item = this.#atom()
      if (item !== undefined) items.push(this.#repeated(item))
    }
  }

  /** @returns undefined for a group that only sets flags */
  #atom(): Node | undefined {
    const char = this.#take()
    switch (char) {
      case '(':
        return this.#group()
      case '[':
        return this.#class()
      case '.':
        return { kind: 'class', ranges: this.#dotAll ? [0, MAX_CODE_POINT] : NOT_NEWLINE }
      case '^':
        return { kind: 'begin' }
      case '$':
        return { kind: 'end' }
      case '\\':
        return this.#escape()
      // Nothing to repeat, or `a**`
      case '*':
      case '+':
      case '?':
      case '{':
        return elsewhere()
      default:
        return this.#literal(char.codePointAt(0) ?? elsewhere())
    }
  }

  #repeated(item: Node): Node {
    const bounds = this.#bounds()
    if (bounds === undefined) return item
    if (item.kind === 'begin' || item.kind === 'end') return elsewhere()
    return { kind: 'repeat', item, min: bounds[0], max: bounds[1], greedy: !this.#eat('?') }
  }

  #bounds(): readonly [number, number] | undefined {
    if (this.#eat('*')) return [0, Infinity]
    if (this.#eat('+')) return [1, Infinity]
    if (this.#eat('?')) return [0, 1]
    if (this.#peek() !== '{') return undefined
    const written = /^\{(\d{1,4})(?:(,)(\d{0,4}))?\}/.exec(
      this.#source.slice(this.#at, this.#at + 12),
    )
    if (written === null) return elsewhere()
    const [all, least = '', comma, most = ''] = written
    this.#at += all.length
    const min = Number(least)
    const max = comma === undefined ? min : most === '' ? Infinity : Number(most)
    if (min > MAX_REPEAT || (max !== Infinity && max > MAX_REPEAT) || max < min) return elsewhere()
    return [min, max]
  }

  #group(): Node | undefined {
    const outer = [this.#fold, this.#dotAll] as const
    let name: string | undefined
    if (this.#peek() === '?') {
      const rest = this.#source.slice(this.#at)
      const named = /^\?P?<([A-Za-z0-9_]{1,100})>/.exec(rest)
      const flags = /^\?([is]*)(-[is]+)?([:)])/.exec(rest)
      if (named !== null) {
        name = named[1] ?? elsewhere()
        if (this.#names.has(name)) return elsewhere()
        this.#names.add(name)
        this.#at += named[0].length
      } else if (flags !== null && (flags[3] === ':' || flags[0] !== '?)')) {
        this.#at += flags[0].length
        this.#setFlags(flags[1] ?? '', true)
        this.#setFlags((flags[2] ?? '').slice(1), false)
        if (flags[3] === ')') return undefined
      } else return elsewhere()
    }
    const item = this.alternatives()
    if (!this.#eat(')')) return elsewhere()
    ;[this.#fold, this.#dotAll] = outer
    return name === 'User' || name === 'Group' ? { kind: 'capture', name, item } : item
  }

  #setFlags(letters: string, on: boolean): void {
    if (letters.includes('i')) this.#fold = on
    if (letters.includes('s')) this.#dotAll = on
  }

  #escape(): Node {
    const char = this.#take()
    if (char === 'A') return { kind: 'begin' }
    if (char === 'z') return { kind: 'end' }
    return { kind: 'class', ranges: this.#perlClass(char) ?? this.#folded(this.#escaped(char)) }
  }

  #perlClass(char: string): Ranges | undefined {
    const ranges = PERL[char.toLowerCase()]
    if (ranges === undefined) return undefined
    const folded = this.#fold ? foldAscii(ranges) : ranges
    return char in PERL ? folded : negate(folded)
  }

  /** The code point of an escape whose letter was already taken. */
  #escaped(char: string): number {
    const control = CONTROLS[char]
    if (control !== undefined) return control
    if (char === 'x') {
      const hex = /^(?:([0-9A-Fa-f]{2})|\{([0-9A-Fa-f]{1,6})\})/.exec(this.#source.slice(this.#at))
      if (hex === null) return elsewhere()
      this.#at += hex[0].length
      const code = Number.parseInt(hex[1] ?? hex[2] ?? '', 16)
      return code <= MAX_CODE_POINT ? code : elsewhere()
    }
    return /^[!-/:-@[-`{-~ ]$/.test(char) ? char.charCodeAt(0) : elsewhere()
  }

  #literal(code: number): Node {
    return { kind: 'class', ranges: this.#folded(code) }
  }

  #folded(low: number, high = low): Ranges {
    if (!this.#fold) return [low, high]
    return high < 0x80 ? foldAscii([low, high]) : elsewhere()
  }

  #class(): Node {
    const negated = this.#eat('^')
    const ranges: number[] = []
    for (let first = true; first || this.#peek() !== ']'; first = false) {
      const char = this.#take()
      if (char === '[' && this.#peek() === ':') return elsewhere()
      const low = char === '\\' ? this.#take() : char
      const perl = char === '\\' ? this.#perlClass(low) : undefined
      if (perl !== undefined) {
        ranges.push(...perl)
        continue
      }
      const from = this.#codeOf(char, low)
      let to = from
      if (this.#peek() === '-' && this.#source[this.#at + 1] !== ']') {
        this.#at++
        const high = this.#take()
        to = high === '\\' ? this.#escaped(this.#take()) : this.#codeOf(high, high)
        if (to < from) return elsewhere()
      }
      ranges.push(...this.#folded(from, to))
    }
    this.#at++
    const clean = normalise(ranges)
    return { kind: 'class', ranges: negated ? negate(clean) : clean }
  }

  #codeOf(char: string, taken: string): number {
    return char === '\\' ? this.#escaped(taken) : (taken.codePointAt(0) ?? elsewhere())
  }

  #peek(): string {
    return this.#source[this.#at] ?? ''
  }

  #eat(char: string): boolean {
    if (this.#peek() !== char) return false
    this.#at++
    return true
  }

  /** One whole code point; the end of the source is not ours to judge. */
  #take(): string {
    const code = this.#source.codePointAt(this.#at)
    // A lone surrogate: RE2 works on valid UTF-8
    if (code === undefined || (code >= 0xd800 && code <= 0xdfff)) return elsewhere()
    const char = String.fromCodePoint(code)
    this.#at += char.length
    return char
  }
}
