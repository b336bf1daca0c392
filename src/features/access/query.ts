import type { Pattern } from './pattern/index.ts'
import type { QueryOperator } from './query-condition.ts'

/** One condition on a query. */
export interface QueryCondition {
  readonly operator: QueryOperator
  readonly key: string
  /** What equal and not equal compare with. */
  readonly value: string
  /** What pattern and not pattern search for. */
  readonly pattern: Pattern | undefined
}

/** What a rule asks of the query: one of the lists, all conditions of it. */
export interface QueryTest {
  readonly lists: readonly (readonly QueryCondition[])[]
  readonly keys: ReadonlySet<string>
}

export function meetsQuery({ lists, keys }: QueryTest, query: string | undefined): boolean {
  const values = valuesOf(query ?? '', keys)
  return lists.some((list) => list.every((condition) => meets(condition, values)))
}

/** A key that is not there reads as the empty text, save for present and absent. */
export function meets(
  { operator, key, value, pattern }: QueryCondition,
  values: ReadonlyMap<string, string>,
): boolean {
  const found = values.get(key) ?? ''
  switch (operator) {
    case 'equal':
      return found === value
    case 'not equal':
      return found !== value
    case 'present':
      return values.has(key)
    case 'absent':
      return !values.has(key)
    case 'pattern':
      return pattern?.test(found) ?? false
    case 'not pattern':
      return !(pattern?.test(found) ?? true)
    default:
      return operator satisfies never
  }
}

/** Longer queries are parsed once for all rules; a shorter one by each rule, as far as that rule needs. Characters. */
const LONG = 256

/** The last long query, and the first value of every key in it. */
let last: { readonly query: string; readonly values: ReadonlyMap<string, string> } | undefined

/** Thousands of names in a query must not be read once for each rule that is about one of them. */
function valuesOf(query: string, keys: ReadonlySet<string>): ReadonlyMap<string, string> {
  if (query.length < LONG) return firstValues(query, keys)
  if (last?.query !== query) last = { query, values: firstValues(query, undefined) }
  return last.values
}

/**
 * The first value of each of some keys, read as a form is (WHATWG URL §5.1).
 * @param keys undefined: of every key
 */
export function firstValues(
  query: string,
  keys: ReadonlySet<string> | undefined,
): Map<string, string> {
  const values = new Map<string, string>()
  const wanted = keys?.size ?? Number.POSITIVE_INFINITY
  for (let from = 0; from < query.length && values.size < wanted; ) {
    const next = query.indexOf('&', from)
    const end = next === -1 ? query.length : next
    const equals = query.indexOf('=', from)
    const middle = equals === -1 || equals > end ? end : equals
    if (end > from) {
      const key = formDecode(query.slice(from, middle))
      if ((keys === undefined || keys.has(key)) && !values.has(key))
        values.set(key, formDecode(query.slice(middle + 1, end)))
    }
    from = end + 1
  }
  return values
}

/** Most texts need no decoding, and most others give ASCII: neither makes a buffer, of which a query may ask for thousands. */
function formDecode(text: string): string {
  let decoded = ''
  let from = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code > 0x7f) return decodeBytes(text)
    if (code !== PERCENT && code !== PLUS) continue
    const byte = code === PLUS ? SPACE : hexByte(text, at)
    // What is no percent sequence stands for itself.
    if (byte < 0) continue
    if (byte > 0x7f) return decodeBytes(text)
    decoded += text.slice(from, at) + String.fromCharCode(byte)
    if (code === PERCENT) at += 2
    from = at + 1
  }
  return from === 0 ? text : decoded + text.slice(from)
}

const SPACE = 0x20
const PERCENT = 0x25
const PLUS = 0x2b

/**
 * What is no percent sequence stands for itself, bad UTF-8 is U+FFFD; a raw byte above 0x7f (one character each, as
 * everywhere in a target) counts like an encoded one.
 */
function decodeBytes(text: string): string {
  const bytes = Buffer.from(text, 'latin1')
  let length = 0
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] ?? 0
    const value = byte === PERCENT ? digit(bytes[at + 1]) * 16 + digit(bytes[at + 2]) : -1
    if (value >= 0) at += 2
    bytes[length++] = value >= 0 ? value : byte === PLUS ? 0x20 : byte
  }
  return bytes.toString('utf8', 0, length)
}

/** @returns what the percent sequence here stands for; negative when it is none */
const hexByte = (text: string, at: number): number =>
  digit(text.charCodeAt(at + 1)) * 16 + digit(text.charCodeAt(at + 2))

/** @returns so far below zero for what is no hex digit that no sum with another one is a byte */
function digit(code: number | undefined): number {
  if (code === undefined) return -256
  if (code >= 0x30 && code <= 0x39) return code - 0x30
  const letter = code | 0x20
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -256
}
