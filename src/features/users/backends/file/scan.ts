/**
 * Cuts a users file into the entries of its users, and reads those that are written plainly. YAML's own parser takes a
 * tenth of a millisecond a user, which is too long for a hundred thousand users. One entry can be changed without reading
 * the others.
 *
 * Both steps leave anything unusual to the parser (yaml.ts). What they read, they read as the parser does: a test compares
 * the two.
 */
import { Pair, Scalar, YAMLMap, YAMLSeq } from 'yaml'

export interface Piece {
  /** Offsets in the text: from the line of the user's name to the next one's, or the end. */
  readonly start: number
  readonly end: number
}

const HEAD = /^\uFEFF?(?:[ ]*(?:#[^\n]*)?\r?\n)*users:[ ]*(?: #[^\n]*)?\r?\n/
/** A line that says nothing. */
const EMPTY = /[ ]*(?:#[^\n]*)?\r?(?:\n|$)/y
/** Longer ones are no keys of YAML's one-line form; texts end at 1024 anyway. In characters. */
const MAX_WORD = 1024
/** A user of a longer text is none that is written plainly. In characters. */
const MAX_PIECE = 64 * 1024

/**
 * The entries of the users, if the file is one map `users` in block form and its entries are indented alike.
 *
 * A line that begins at their indentation begins the next entry, whatever stands before it: what is nested in a user is
 * indented deeper, and so are the further lines of a text. Quotes and brackets that are open there make the entry before
 * it no YAML by itself, and then the whole file is read instead.
 */
export function piecesOf(text: string): readonly Piece[] | undefined {
  const head = HEAD.exec(text)
  // An alias may stand for something in another entry, and a lone CR ends a line for some.
  if (head === null || /\r(?!\n)|^(?:---|\.\.\.|%)/m.test(text)) return undefined
  const starts: number[] = []
  let indent = 0
  for (let at = head[0].length; at < text.length; ) {
    const next = text.indexOf('\n', at) + 1 || text.length
    let first = at
    while (text.charCodeAt(first) === SPACE) first++
    const letter = text.charCodeAt(first)
    const nothing = first >= next || letter === NEWLINE || letter === RETURN || letter === HASH
    if (!nothing) {
      if (starts.length === 0) indent = first - at
      // Another top-level key, a tab, or an entry that is indented otherwise.
      if (indent === 0 || first - at < indent || letter === TAB) return undefined
      if (first - at === indent) {
        if (letter === DASH || letter === QUESTION) return undefined
        starts.push(at)
      }
    }
    at = next
  }
  return starts.map((start, i) => ({ start, end: starts[i + 1] ?? text.length }))
}

const [SPACE, TAB, NEWLINE, RETURN, HASH, DASH, QUESTION] = [32, 9, 10, 13, 35, 45, 63]

/** Letters first: nothing that begins so is a number. Neither `: ` nor ` #` can be in it, nor an anchor or a tag. */
const PLAIN = `[A-Za-z$][A-Za-z0-9$=+/._@-]*(?: +[A-Za-z0-9$=+/._@-]+)*`
const PLAIN_LINE = `[A-Za-z$][A-Za-z0-9$=+/._@,-]*(?: +[A-Za-z0-9$=+/._@,-]+)*`
const QUOTED = String.raw`"[^"\\\r\n]*"|'[^'\r\n]*'`
const END = String.raw` *(?: #[^\n]*)?\r?(?:\n|$)`
const KEY = new RegExp(String.raw`( *)([A-Za-z][A-Za-z0-9_.@-]*|${QUOTED}):(?=[ \r\n])${END}`, 'y')
const FIELD = new RegExp(
  String.raw`( *)([A-Za-z][A-Za-z0-9_-]*):(?: +(?:(${PLAIN_LINE}|${QUOTED})|\[ *((?:(?:${PLAIN}|${QUOTED}) *, *)*(?:${PLAIN}|${QUOTED}))? *\]))?${END}`,
  'y',
)
const ITEM = new RegExp(`( *)- +(${PLAIN}|${QUOTED})${END}`, 'y')
const ELEMENT = new RegExp(`${PLAIN}|${QUOTED}`, 'g')

/** The name of a user, where it is written plainly. */
export function nameIn(text: string, { start, end }: Piece): string | undefined {
  const name = match(KEY, text, start, end)
  const value = name && scalarAt(text, start + (name[1]?.length ?? 0), name[2] ?? '')?.value
  return typeof value === 'string' ? value : undefined
}

type Fields = YAMLMap<Scalar, Scalar | YAMLSeq<Scalar>>

/**
 * A user whose fields are one line each, or a list of words.
 * @returns the nodes that the parser would make, with their places; undefined: let the parser do it
 */
export function readPlain(text: string, { start, end }: Piece): Pair<Scalar, Fields> | undefined {
  if (end - start > MAX_PIECE) return undefined
  const name = match(KEY, text, start, end)
  if (name === undefined) return undefined
  const indent = name[1]?.length ?? 0
  const key = scalarAt(text, start + indent, name[2] ?? '')
  if (key === undefined) return undefined
  const fields: Fields = new YAMLMap()
  let inner = 0
  /** A list that is still to come, of the last field. */
  let open: { readonly list: YAMLSeq<Scalar>; indent: number } | undefined
  for (let at = KEY.lastIndex; at < end; ) {
    if (match(EMPTY, text, at, end)) {
      at = EMPTY.lastIndex
      continue
    }
    const item = open && match(ITEM, text, at, end)
    if (open && item) {
      const spaces = item[1]?.length ?? 0
      if (open.list.items.length === 0) open.indent = spaces
      const value = scalarAt(text, text.indexOf('-', at) + 1, item[2] ?? '')
      if (spaces < inner || spaces !== open.indent || value === undefined) return undefined
      open.list.items.push(value)
      at = ITEM.lastIndex
      continue
    }
    if (open?.list.items.length === 0) return undefined
    open = undefined
    const field = match(FIELD, text, at, end)
    if (field === undefined) return undefined
    const [line, spaces = '', word = '', one, several] = field
    if (inner === 0) inner = spaces.length
    if (inner <= indent || spaces.length !== inner) return undefined
    const fieldKey = scalarAt(text, at + inner, word)
    if (fieldKey === undefined) return undefined
    const after = at + inner + word.length + 1
    let value: Scalar | YAMLSeq<Scalar> | undefined
    if (one !== undefined) value = scalarAt(text, after, one)
    else {
      const list = new YAMLSeq<Scalar>()
      const bracket = text.indexOf('[', after)
      if (
        several === undefined &&
        !line
          .slice(inner + word.length + 1)
          .trimStart()
          .startsWith('[')
      )
        open = { list, indent: 0 }
      else if (!fill(list, text, bracket, several ?? '')) return undefined
      list.range = open === undefined ? rangeOf(bracket, bracket + 1) : rangeOf(after, after)
      value = list
    }
    if (value === undefined) return undefined
    fields.items.push(new Pair(fieldKey, value))
    at = FIELD.lastIndex
  }
  if (fields.items.length === 0 || open?.list.items.length === 0) return undefined
  fields.range = rangeOf(fields.items[0]?.key.range?.[0] ?? start, end)
  return new Pair(key, fields)
}

function fill(list: YAMLSeq<Scalar>, text: string, bracket: number, several: string): boolean {
  let at = bracket + 1
  for (const [word] of several.matchAll(ELEMENT)) {
    const element = scalarAt(text, at, word)
    if (element === undefined) return false
    list.items.push(element)
    at = element.range?.[1] ?? at
  }
  return true
}

/** The match that begins at `at` and ends before `end`. */
function match(
  pattern: RegExp,
  text: string,
  at: number,
  end: number,
): RegExpExecArray | undefined {
  pattern.lastIndex = at
  const found = pattern.exec(text)
  return found === null || pattern.lastIndex > end ? undefined : found
}

const rangeOf = (start: number, end: number): [number, number, number] => [start, end, end]

/** @param from where to look for the word, which comes next there */
function scalarAt(text: string, from: number, word: string): Scalar | undefined {
  const start = text.indexOf(word, from)
  const quote = word[0]
  const quoted = quote === '"' || quote === "'"
  if (word.length > MAX_WORD) return undefined
  // The words that YAML has a meaning for; only these two are used here.
  if (!quoted && /^(?:true|false|null)$/i.test(word) && word !== 'true' && word !== 'false')
    return undefined
  const value = quoted
    ? word.slice(1, -1)
    : word === 'true'
      ? true
      : word === 'false'
        ? false
        : word
  const scalar = new Scalar<unknown>(value)
  scalar.type = quote === '"' ? 'QUOTE_DOUBLE' : quote === "'" ? 'QUOTE_SINGLE' : 'PLAIN'
  scalar.source = quoted ? word.slice(1, -1) : word
  scalar.range = rangeOf(start, start + word.length)
  return scalar
}
