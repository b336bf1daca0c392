/**
 * What a path can mean to the server behind us (docs/decisions/011-the-readings-of-a-path.md).
 *
 * A canonical path means one thing. Any other is read in every way that servers, proxies and frameworks read it: the
 * steps below, in any order and any number. The rules are asked for each reading, the strictest answer holds.
 */
import { decodeOnce } from './percent.ts'
import { openOutput, unitsOf, writtenText } from './units.ts'

/**
 * Why a path is denied unread:
 * `control` a control character, encoded or not; `malformed` a `%` without two hex digits (as Authelia, whose URL
 * parser refuses it), or a path that does not begin with `/`; `rounds` still encoded after four rounds of decoding;
 * `readings` more of them than MAX_READINGS, or longer ones than the limit.
 */
export type UnreadablePath = 'control' | 'malformed' | 'rounds' | 'readings'

export type Readings = { readonly paths: readonly string[] } | { readonly refusal: UnreadablePath }

const MAX_ROUNDS = 4
/** An honest path has one to six; each costs a walk through the rules. */
export const MAX_READINGS = 16
/**
 * All readings together, in characters: eight times the path, but three times the longest one at most, and as much as a
 * short path can need. So the work for a hostile path is a bounded multiple of that for an honest one.
 */
export function roomFor(length: number): number {
  return Math.min(48 * 1024, Math.max(2048, 8 * length))
}

const HASH = 0x23
const PERCENT = 0x25
const DOT = 0x2e
const SLASH = 0x2f
const SEMICOLON = 0x3b
const QUESTION = 0x3f
const BACKSLASH = 0x5c

/** Visible ASCII without what can make a path mean two things. */
const PLAIN = new Uint8Array(128).fill(1, 0x21, 0x7f)
for (const code of [HASH, PERCENT, SEMICOLON, QUESTION, BACKSLASH]) PLAIN[code] = 0

/** Whether a path as sent is the only reading of itself: no percent sequence, parameter, dot segment, double slash. */
export function isCanonical(path: string): boolean {
  const units = unitsOf(path)
  const end = path.length
  if (end === 0 || units[0] !== SLASH) return false
  let last = 0
  for (let i = 0; i < end; i++) {
    const code = units[i] ?? 0
    if (PLAIN[code] !== 1) return false
    if (last === SLASH && (code === SLASH || (code === DOT && isDots(units, i, end)))) return false
    last = code
  }
  return true
}

/** Whether a segment that begins here with a dot is `.` or `..`. */
function isDots(units: Uint16Array, from: number, end: number): boolean {
  const at = from + 1 < end && units[from + 1] === DOT ? from + 2 : from + 1
  return at === end || units[at] === SLASH
}

/** Decoding that would still change the text after four rounds, seen without decoding. */
const DEEP = /%25252525[0-9A-Fa-f]{2}/

/**
 * Every reading of a path, each once.
 * @param path as sent, one character a byte; '' is `/`
 */
export function readPath(path: string): Readings {
  if (path === '') return { paths: ['/'] }
  if (path.charCodeAt(0) !== SLASH) return { refusal: 'malformed' }
  if (DEEP.test(path)) return { refusal: 'rounds' }
  // RFC 3986 §6.2.2: everybody agrees on this much
  const start = decodeOnce(path, { keepStructure: true, raw: true })
  if (typeof start !== 'string') return { refusal: start.fault }
  const rounds = decodeRounds(start)
  return typeof rounds === 'string' ? { refusal: rounds } : closure(start, rounds)
}

/** Decodes until nothing changes any more. @returns what each round made of which text */
function decodeRounds(start: string): ReadonlyMap<string, string> | UnreadablePath {
  const rounds = new Map<string, string>()
  let text = start
  for (let round = 0; round <= MAX_ROUNDS; round++) {
    const next = decodeAll(text)
    if (next === undefined) return 'control'
    rounds.set(text, next)
    if (next === text) return rounds
    text = next
  }
  return 'rounds'
}

/** Everything that the steps make of a path, in any order. */
function closure(start: string, rounds: ReadonlyMap<string, string>): Readings {
  const paths = [start]
  const seen = new Set(paths)
  const room = roomFor(start.length)
  let characters = start.length
  for (const path of paths) {
    for (const step of STEPS) {
      const next = step === decodeAll ? (rounds.get(path) ?? step(path)) : step(path)
      if (next === undefined) return { refusal: 'control' }
      if (next === path || seen.has(next)) continue
      seen.add(next)
      paths.push(next)
      characters += next.length
      if (paths.length > MAX_READINGS || characters > room) return { refusal: 'readings' }
    }
  }
  return { paths }
}

/** What a server behind us may do to a path. Each gives the path itself when there is nothing to do. */
const STEPS: readonly ((path: string) => string | undefined)[] = [
  decodeAll,
  decodeHarmless,
  backslashesToSlashes,
  withoutParameters,
  withoutFragment,
  withoutQuery,
  mergeSlashes,
  removeDotSegments,
  cleanLastSegment,
]

/** One round. @returns undefined when a control character comes out */
function decodeAll(path: string): string | undefined {
  if (!path.includes('%')) return path
  const decoded = decodeOnce(path, { keepStructure: false, raw: false })
  return typeof decoded === 'string' ? decoded : undefined
}

const HARMLESS = /%(?!2[35F]|3[BF]|5C)[0-9A-Fa-f]{2}/

/** One round that leaves `/ \ ; # ? %` encoded, as WHATWG's and RFC 3986's normalisations do. */
function decodeHarmless(path: string): string | undefined {
  if (!path.includes('%') || !HARMLESS.test(path)) return path
  const decoded = decodeOnce(path, { keepStructure: true, raw: false })
  return typeof decoded === 'string' ? decoded : undefined
}

/** Browsers, IIS and .NET. */
function backslashesToSlashes(path: string): string {
  if (!path.includes('\\')) return path
  const from = unitsOf(path)
  const { units, bytes } = openOutput(path.length)
  let all = 0
  for (let i = 0; i < path.length; i++) {
    const code = from[i] === BACKSLASH ? SLASH : (from[i] ?? 0)
    all |= code
    bytes[i] = code
    units[i] = code
  }
  return writtenText(path.length, all)
}

/** Servlet containers: `/a;x=1/b;y` is `/a/b`. */
function withoutParameters(path: string): string {
  if (!path.includes(';')) return path
  const from = unitsOf(path)
  const { units, bytes } = openOutput(path.length)
  let length = 0
  let all = 0
  let isParameter = false
  for (let i = 0; i < path.length; i++) {
    const code = from[i] ?? 0
    if (code === SEMICOLON) isParameter = true
    else if (code === SLASH) isParameter = false
    if (isParameter) continue
    all |= code
    bytes[length] = code
    units[length++] = code
  }
  return writtenText(length, all)
}

/** A server that parses it as a URL, or decodes before parsing. */
function withoutFragment(path: string): string {
  const at = path.indexOf('#')
  return at === -1 ? path : path.slice(0, at)
}

function withoutQuery(path: string): string {
  const at = path.indexOf('?')
  return at === -1 ? path : path.slice(0, at)
}

/** nginx's merge_slashes, Go's ServeMux, most file systems. */
function mergeSlashes(path: string): string {
  if (!path.includes('//')) return path
  const from = unitsOf(path)
  const { units, bytes } = openOutput(path.length)
  let length = 0
  let all = 0
  let last = 0
  for (let i = 0; i < path.length; i++) {
    const code = from[i] ?? 0
    if (code !== SLASH || last !== SLASH) {
      all |= code
      bytes[length] = code
      units[length++] = code
    }
    last = code
  }
  return writtenText(length, all)
}

/**
 * Dot segments as RFC 3986 §5.2.4 and WHATWG remove them: an empty segment is a segment, a last dot segment leaves its
 * slash. Then slashes are merged: no file lies behind the empty segments that are left. After `mergeSlashes` it is
 * Go's path.Clean, for which `//` is one slash from the beginning.
 */
function removeDotSegments(path: string): string {
  return path.includes('/.') ? mergeSlashes(withoutDotSegments(path)) : path
}

function withoutDotSegments(path: string): string {
  const from = unitsOf(path)
  const end = path.length
  const { units, bytes } = openOutput(end)
  let length = 0
  let all = 0
  for (let i = 0; i < end; i++) {
    const code = from[i] ?? 0
    if (code === DOT && from[i - 1] === SLASH && isDots(from, i, end)) {
      if (from[i + 1] === DOT && i + 1 < end) {
        // Back to behind the slash before the last segment; never past the first
        if (length > 1)
          do length--
          while (units[length - 1] !== SLASH)
        i++
      }
      // The slash behind a dot segment goes with it
      i++
      continue
    }
    all |= code
    bytes[length] = code
    units[length++] = code
  }
  return writtenText(length, all)
}

/** path.Clean, and so Authelia: the same, but a last dot segment takes the slash before it along. */
function cleanLastSegment(path: string): string {
  if (!/\/\.\.?$/.test(path)) return path
  const cleaned = removeDotSegments(path)
  return cleaned.length > 1 && cleaned.endsWith('/') ? cleaned.slice(0, -1) : cleaned
}
