import { unitsOf } from '../units.ts'
import { buildClasses, type Classes } from './classes.ts'
import { covers, NOT_NEWLINE } from './code-points.ts'
import type { Program } from './program.ts'

/**
 * Whether a program matches anywhere in a text: every state at once, a bit each (Glushkov's automaton, Baeza-Yates and
 * Gonnet's shift-and). The work for a character depends on the size of the pattern and on nothing else: there are no
 * states to discover, so there is no text that is dear to match.
 */
export interface Automaton {
  test(text: string): boolean
}

export function buildAutomaton(program: Program): Automaton {
  const tables = buildTables(program)
  if (tables.always) return { test: () => true }
  return tables.words === 1 ? narrow(tables) : wide(tables)
}

interface Tables {
  /** 32-bit words that a set of positions takes, at least 1. */
  readonly words: number
  /** Matches the empty text at the start of any text. */
  readonly always: boolean
  readonly matchesEmptyText: boolean
  /** Matches nothing at the end of a text that is not empty: `$`. */
  readonly matchesAtEnd: boolean
  readonly classes: Classes
  /** By class: the positions that take a character of it. */
  readonly takes: Int32Array
  /** Where a match may begin: at the start of the text, elsewhere. */
  readonly first: Int32Array
  readonly later: Int32Array
  /** Positions that go on to the next one; to themselves; elsewhere. */
  readonly shift: Int32Array
  readonly stay: Int32Array
  readonly jump: Int32Array
  /** Where eight neighbouring positions go, by their byte of the state: `(byte number << 8 | byte) * words`. */
  readonly leaps: Int32Array
  /** Positions after which the pattern has matched: anywhere; at the end of the text. */
  readonly done: Int32Array
  readonly doneAtEnd: Int32Array
  /** Positions of a `.*` that may end the pattern: matched, if no newline is left. */
  readonly rest: Int32Array
}

function buildTables(program: Program): Tables {
  const { characters } = program
  const words = Math.max(1, Math.ceil(characters.length / 32))
  const set = () => new Int32Array(words)
  const classes = buildClasses(characters)
  const takes = new Int32Array(words * classes.count)
  const [shift, stay, jump, done, doneAtEnd, rest] = [set(), set(), set(), set(), set(), set()]
  const follow = new Int32Array(words * characters.length)
  for (const { position: p, ranges, next } of characters) {
    for (const index of classes.within(ranges)) add(takes, index * words, p)
    const after = closure(program, next, false, false)
    for (const q of after.positions) {
      if (q === p + 1) add(shift, 0, p)
      else if (q === p) add(stay, 0, p)
      else {
        add(jump, 0, p)
        add(follow, p * words, q)
      }
    }
    if (after.matches) add(done, 0, p)
    if (closure(program, next, false, true).matches) {
      add(doneAtEnd, 0, p)
      if (after.positions.includes(p) && covers(ranges, NOT_NEWLINE)) add(rest, 0, p)
    }
  }
  const begin = closure(program, program.start, true, false)
  const middle = closure(program, program.start, false, false)
  const [first, later] = [set(), set()]
  for (const p of begin.positions) add(first, 0, p)
  for (const p of middle.positions) add(later, 0, p)
  return {
    words,
    always: begin.matches,
    matchesEmptyText: closure(program, program.start, true, true).matches,
    matchesAtEnd: closure(program, program.start, false, true).matches,
    classes,
    takes,
    first,
    later,
    shift,
    stay,
    jump,
    leaps: buildLeaps(words, jump, follow),
    done,
    doneAtEnd,
    rest,
  }
}

/** All unions of what eight neighbours lead to, so that a character costs a look-up a byte and not a round a state. */
function buildLeaps(words: number, jump: Int32Array, follow: Int32Array): Int32Array {
  if (jump.every((word) => word === 0)) return new Int32Array(0)
  const leaps = new Int32Array(words * 4 * 256 * words)
  for (let eight = 0; eight < words * 4; eight++) {
    const jumping = ((jump[eight >> 2] ?? 0) >>> ((eight & 3) * 8)) & 0xff
    for (let byte = 1; byte < 256; byte++) {
      // The state is masked with `jump` before it is looked up
      if ((byte & ~jumping) !== 0) continue
      const to = ((eight << 8) | byte) * words
      const without = ((eight << 8) | (byte & (byte - 1))) * words
      const position = eight * 8 + 31 - Math.clz32(byte & -byte)
      for (let w = 0; w < words; w++)
        leaps[to + w] = (leaps[without + w] ?? 0) | (follow[position * words + w] ?? 0)
    }
  }
  return leaps
}

function add(bits: Int32Array, offset: number, position: number): void {
  const word = offset + (position >> 5)
  bits[word] = (bits[word] ?? 0) | (1 << (position & 31))
}

/** What can be reached without reading: characters to read, and the match itself. */
export function closure(
  program: Program,
  from: number,
  atBegin: boolean,
  atEnd: boolean,
): { positions: number[]; matches: boolean } {
  const positions: number[] = []
  let matches = false
  const seen = new Set<number>()
  const stack = [from]
  for (let at = stack.pop(); at !== undefined; at = stack.pop()) {
    const step = program.steps[at]
    if (step === undefined || seen.has(at)) continue
    seen.add(at)
    switch (step.op) {
      case 'char':
        positions.push(step.position)
        break
      case 'match':
        matches = true
        break
      case 'split':
        stack.push(step.next, step.other)
        break
      case 'begin':
        if (atBegin) stack.push(step.next)
        break
      case 'end':
        if (atEnd) stack.push(step.next)
        break
      case 'mark':
        stack.push(step.next)
        break
      default:
        step satisfies never
    }
  }
  return { positions, matches }
}

/** Up to 32 positions: the state is one number. */
function narrow(tables: Tables): Automaton {
  const { classes, takes, leaps, matchesEmptyText, matchesAtEnd } = tables
  const { ascii } = classes
  const [first = 0, later = 0] = [tables.first[0], tables.later[0]]
  const [shift = 0, stay = 0, jump = 0] = [tables.shift[0], tables.stay[0], tables.jump[0]]
  const [done = 0, doneAtEnd = 0, rest = 0] = [tables.done[0], tables.doneAtEnd[0], tables.rest[0]]
  return {
    test(text) {
      const length = text.length
      if (length === 0) return matchesEmptyText
      const units = unitsOf(text)
      let newline = UNKNOWN
      let state = 0
      let open = first
      for (let i = 0; i < length; i++) {
        let code = units[i] ?? 0
        let index: number
        if (code < 128) index = ascii[code] ?? 0
        else {
          if (isPair(code, units, i, length)) code = text.codePointAt(i++) ?? 0
          index = classes.of(code)
        }
        state = open & (takes[index] ?? 0)
        if ((state & done) !== 0) return true
        if ((state & rest) !== 0) {
          if (newline === UNKNOWN) newline = text.lastIndexOf('\n')
          if (newline <= i) return true
        }
        if (state === 0) {
          if (later === 0) return matchesAtEnd
          open = later
          continue
        }
        open = ((state & shift) << 1) | (state & stay) | later
        const set = state & jump
        if (set !== 0)
          open |=
            (leaps[set & 0xff] ?? 0) |
            (leaps[0x100 | ((set >>> 8) & 0xff)] ?? 0) |
            (leaps[0x200 | ((set >>> 16) & 0xff)] ?? 0) |
            (leaps[0x300 | (set >>> 24)] ?? 0)
      }
      return matchesAtEnd || (state & doneAtEnd) !== 0
    },
  }
}

const UNKNOWN = -2

function isPair(code: number, units: Uint16Array, i: number, length: number): boolean {
  return (code & 0xfc00) === 0xd800 && i + 1 < length && ((units[i + 1] ?? 0) & 0xfc00) === 0xdc00
}

/** More positions: the same, word by word. */
function wide(tables: Tables): Automaton {
  const { words, classes, takes, first, later, shift, stay, jump, leaps } = tables
  const { done, doneAtEnd, rest, matchesEmptyText, matchesAtEnd } = tables
  // Reused from call to call: matching never waits, so no two calls overlap
  const state = new Int32Array(words)
  const open = new Int32Array(words)
  const anchored = later.every((word) => word === 0)
  return {
    test(text) {
      const length = text.length
      if (length === 0) return matchesEmptyText
      const units = unitsOf(text)
      let newline = UNKNOWN
      open.set(first)
      let alive = 0
      for (let i = 0; i < length; i++) {
        let code = units[i] ?? 0
        if (isPair(code, units, i, length)) code = text.codePointAt(i++) ?? 0
        const row = (code < 128 ? (classes.ascii[code] ?? 0) : classes.of(code)) * words
        alive = 0
        let finished = 0
        let resting = 0
        for (let w = 0; w < words; w++) {
          const now = (open[w] ?? 0) & (takes[row + w] ?? 0)
          state[w] = now
          alive |= now
          finished |= now & (done[w] ?? 0)
          resting |= now & (rest[w] ?? 0)
        }
        if (finished !== 0) return true
        if (resting !== 0) {
          if (newline === UNKNOWN) newline = text.lastIndexOf('\n')
          if (newline <= i) return true
        }
        if (alive === 0) {
          if (anchored) return matchesAtEnd
          open.set(later)
          continue
        }
        let carry = 0
        for (let w = 0; w < words; w++) {
          const now = state[w] ?? 0
          const moved = now & (shift[w] ?? 0)
          open[w] = (moved << 1) | carry | (now & (stay[w] ?? 0)) | (later[w] ?? 0)
          carry = moved >>> 31
        }
        for (let w = 0; w < words; w++) {
          let set = (state[w] ?? 0) & (jump[w] ?? 0)
          for (let eight = w * 4; set !== 0; eight++, set >>>= 8) {
            const from = ((eight << 8) | (set & 0xff)) * words
            for (let v = 0; v < words; v++) open[v] = (open[v] ?? 0) | (leaps[from + v] ?? 0)
          }
        }
      }
      let ends = 0
      for (let w = 0; w < words; w++) ends |= (state[w] ?? 0) & (doneAtEnd[w] ?? 0)
      return matchesAtEnd || ends !== 0
    },
  }
}
