import { unitsOf } from '../units.ts'
import type { Program, Step } from './program.ts'

/** What the named groups of the leftmost-first match held; undefined: the group took no part in it. */
export interface Captures {
  readonly user: string | undefined
  readonly group: string | undefined
}

export interface CaptureFinder {
  /**
   * Finds what User and Group hold in the leftmost-first match, by trying the preferred way first and never the same
   * step at the same place twice (RE2's bit-state matcher): at most steps × length, usually a few steps a character.
   * @returns undefined when nothing matches
   */
  find(text: string): Captures | undefined
}

/** Scratch that grew past this many words is let go again. */
const KEEP = 1 << 16

// Reused from call to call: matching never waits, so no two calls overlap
let visited = new Uint32Array(1024)
let stack = new Int32Array(1024)
const marks = new Int32Array(4)

const END_OF_TEXT = 0x1_0000
const MATCH = 0
const CHAR = 1
const SPLIT = 2
const MARK = 3
const BEGIN = 4
const END = 5
const OPS = { match: MATCH, char: CHAR, split: SPLIT, mark: MARK, begin: BEGIN, end: END } as const

/** The program as flat numbers: walking objects costs five times as much. */
interface Flat {
  readonly start: number
  readonly ops: Uint8Array
  readonly next: Int32Array
  /** The other way of a split, the slot of a mark. */
  readonly more: Int32Array
  /** By step: which of the 128 ASCII characters it takes. */
  readonly ascii: Int32Array
  readonly steps: readonly Step[]
}

export function buildCaptureFinder(program: Program): CaptureFinder {
  const flat = flatten(program)
  return {
    find(text) {
      const width = text.length + 1
      const needed = (program.steps.length * width + 31) >>> 5
      if (visited.length < needed) visited = new Uint32Array(needed)
      else visited.fill(0, 0, needed)
      marks.fill(-1)
      let found = false
      for (let from = 0; from < width && !found; from++)
        found = !isSecondHalf(text, from) && tryAt(flat, text, from)
      if (visited.length > KEEP) visited = new Uint32Array(1024)
      if (stack.length > KEEP) stack = new Int32Array(1024)
      return found ? { user: marked(text, 0), group: marked(text, 2) } : undefined
    },
  }
}

function flatten({ steps, start }: Program): Flat {
  const flat: Flat = {
    start,
    ops: Uint8Array.from(steps, (step) => OPS[step.op]),
    next: Int32Array.from(steps, (step) => (step.op === 'match' ? 0 : step.next)),
    more: Int32Array.from(steps, (step) =>
      step.op === 'split' ? step.other : step.op === 'mark' ? step.slot : 0,
    ),
    ascii: new Int32Array(steps.length * 4),
    steps,
  }
  for (const [at, step] of steps.entries()) {
    for (let code = 0; code < 128; code++) {
      const word = at * 4 + (code >> 5)
      if (takes(step, code)) flat.ascii[word] = (flat.ascii[word] ?? 0) | (1 << (code & 31))
    }
  }
  return flat
}

/** No match begins inside a character. */
function isSecondHalf(text: string, place: number): boolean {
  return (
    (text.charCodeAt(place) & 0xfc00) === 0xdc00 && (text.charCodeAt(place - 1) & 0xfc00) === 0xd800
  )
}

function marked(text: string, slot: number): string | undefined {
  const from = marks[slot] ?? -1
  const to = marks[slot + 1] ?? -1
  return from >= 0 && to >= from ? text.slice(from, to) : undefined
}

/** Entries of the stack are pairs: a step and the place to go on from, or (negative) a mark and what to put back. */
function tryAt(
  { start, ops, next, more, ascii, steps }: Flat,
  text: string,
  from: number,
): boolean {
  const units = unitsOf(text)
  const width = text.length + 1
  let depth = 0
  let at = start
  let place = from
  for (;;) {
    const key = at * width + place
    const bit = 1 << (key & 31)
    const word = visited[key >>> 5] ?? 0
    let goesOn = (word & bit) === 0
    if (goesOn) {
      visited[key >>> 5] = word | bit
      switch (ops[at]) {
        case MATCH:
          return true
        case CHAR: {
          // Behind the text lies whatever was there before
          const code = place < text.length ? (units[place] ?? 0) : END_OF_TEXT
          if (code < 128) {
            goesOn = ((ascii[at * 4 + (code >> 5)] ?? 0) & (1 << (code & 31))) !== 0
            place++
          } else {
            const whole = text.codePointAt(place)
            goesOn = whole !== undefined && takes(steps[at], whole)
            place += whole !== undefined && whole > 0xffff ? 2 : 1
          }
          break
        }
        case SPLIT:
        case MARK: {
          if (depth + 2 > stack.length) stack = doubled(stack)
          const what = more[at] ?? 0
          const isMark = ops[at] === MARK
          stack[depth++] = isMark ? -what - 1 : what
          stack[depth++] = isMark ? (marks[what] ?? -1) : place
          if (isMark) marks[what] = place
          break
        }
        case BEGIN:
          goesOn = place === 0
          break
        default:
          goesOn = place === text.length
      }
    }
    if (goesOn) {
      at = next[at] ?? 0
      continue
    }
    for (;;) {
      if (depth === 0) return false
      place = stack[--depth] ?? 0
      at = stack[--depth] ?? 0
      if (at >= 0) break
      marks[-at - 1] = place
    }
  }
}

function doubled(words: Int32Array): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(words.length * 2)
  larger.set(words)
  return larger
}

function takes(step: Step | undefined, code: number): boolean {
  if (step?.op !== 'char') return false
  const { ranges } = step
  for (let i = 0; i < ranges.length; i += 2) {
    if (code < (ranges[i] ?? 0)) return false
    if (code <= (ranges[i + 1] ?? 0)) return true
  }
  return false
}
