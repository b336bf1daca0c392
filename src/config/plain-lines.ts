/** Thrown where a text is not plain; caught in plain-yaml.ts. */
export const NOT_PLAIN = new Error('not plain')

/** With a key on each line, far from the number of values that the parser refuses. */
const MAX_LINES = 200_000
const MAX_KEY = 64
const SPACE = 0x20
const HASH = 0x23
const DASH = 0x2d
const COLON = 0x3a

/**
 * Walks over the lines of a plain text (plain-yaml.ts). Its fields say where it is: no object is made for a line, of
 * which there may be 100,000.
 */
export class PlainLines {
  /** A key, or a dash with a value or nothing behind it. `- key:` is a dash, then a key two columns further. */
  kind: 'key' | 'item' | 'end' = 'end'
  /** In columns. */
  indent = 0
  key = ''
  /** What stands behind the key or the dash, to the end of the line; empty: nothing. */
  rest = ''
  /** From 1. */
  line = 0
  /** Where `rest` begins, from 1; of a dash with a key behind it, where the key begins. */
  column = 1
  readonly #text: string
  /** Where the next line begins. */
  #next = 0
  /** Where this line ends. */
  #end = 0
  /** Where the key ends that stands behind the dash; -1: there is none. */
  #behindDash = -1
  /** Keys are repeated thousands of times: one string for all. */
  readonly #keys = new Map<string, string>()

  /** Stands at the first line. */
  constructor(text: string) {
    this.#text = text
    this.advance()
  }

  /** @throws NOT_PLAIN at a line in another form */
  advance(): void {
    if (this.#behindDash !== -1) {
      this.#readKey(this.indent + 2, this.#behindDash)
      this.#behindDash = -1
      return
    }
    const text = this.#text
    let start: number
    let from: number
    do {
      start = this.#next
      if (start >= text.length) {
        this.kind = 'end'
        return
      }
      if (++this.line > MAX_LINES) throw NOT_PLAIN
      const end = text.indexOf('\n', start)
      this.#end = end === -1 ? text.length : end
      this.#next = this.#end + 1
      from = start
      while (text.charCodeAt(from) === SPACE) from++
    } while (from >= this.#end || text.charCodeAt(from) === HASH)
    const indent = from - start
    const isItem = text.charCodeAt(from) === DASH && text.charCodeAt(from + 1) === SPACE
    const to = this.#endOfKey(isItem ? from + 2 : from)
    if (!isItem) {
      if (to === -1) throw NOT_PLAIN
      this.#readKey(indent, to)
      return
    }
    this.kind = 'item'
    this.indent = indent
    this.column = indent + 3
    this.#behindDash = to
    this.rest = to === -1 ? text.slice(from + 2, this.#end) : ''
    if (to === -1 && (this.rest === '' || this.rest.startsWith(' '))) throw NOT_PLAIN
  }

  /** Where the key ends that begins here and has a colon behind it; -1: there is none. */
  #endOfKey(from: number): number {
    const text = this.#text
    if (!isLetter(text.charCodeAt(from))) return -1
    let to = from + 1
    while (isWord(text.charCodeAt(to))) to++
    if (text.charCodeAt(to) !== COLON || to - from > MAX_KEY) return -1
    return to + 1 === this.#end || text.charCodeAt(to + 1) === SPACE ? to : -1
  }

  /** @param to where the key ends, on this line */
  #readKey(indent: number, to: number): void {
    const text = this.#text
    const start = text.lastIndexOf('\n', to) + 1
    const written = text.slice(start + indent, to)
    const known = this.#keys.get(written)
    if (known === undefined) this.#keys.set(written, written)
    let from = to + 1
    while (from < this.#end && text.charCodeAt(from) === SPACE) from++
    this.kind = 'key'
    this.indent = indent
    this.key = known ?? written
    this.column = from - start + 1
    this.rest =
      from === this.#end || text.charCodeAt(from) === HASH ? '' : text.slice(from, this.#end)
  }
}

const isLetter = (code: number): boolean =>
  (code >= 0x61 && code <= 0x7a) || (code >= 0x41 && code <= 0x5a) || code === 0x5f
const isWord = (code: number): boolean =>
  isLetter(code) || (code >= 0x30 && code <= 0x39) || code === DASH
