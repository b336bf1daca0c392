import { openOutput, unitsOf, writtenText } from './units.ts'

/** Percent-decoding of paths, byte by byte, as lenient as the most lenient server behind us might be. */

const PERCENT = 0x25
const DOT = 0x2e
const REPLACEMENT = 0xfffd
/** What a path is cut and cleaned by; decoding it changes what the path means. */
const STRUCTURE = '#%/;?\\'
const isStructure = new Uint8Array(128)
for (const char of STRUCTURE) isStructure[char.charCodeAt(0)] = 1

const HEX = new Int8Array(128).fill(-1)
for (let digit = 0; digit < 16; digit++) {
  HEX[digit.toString(16).charCodeAt(0)] = digit
  HEX[digit.toString(16).toUpperCase().charCodeAt(0)] = digit
}

export interface DecodeOptions {
  /** `/ \ ; # ? %` and overlong dots stay encoded (in capitals): RFC 3986 §6.2.2's normalisation, which no server may object to. */
  readonly keepStructure: boolean
  /** The text is as it came in, one character a byte: bytes above 0x7f count like encoded ones. */
  readonly raw: boolean
}

/** Why a text is not decoded: a control character came out (Unicode's Cc), or a `%` lacks its two hex digits. */
export type DecodeFault = { readonly fault: 'control' | 'malformed' }
const CONTROL: DecodeFault = { fault: 'control' }
const MALFORMED: DecodeFault = { fault: 'malformed' }

/**
 * Decodes every percent sequence once. UTF-8 is read as leniently as possible: overlong forms, five and six bytes
 * included, give what they encode; every other byte that is not UTF-8 gives U+FFFD.
 *
 * A `%` without two hex digits is a fault in a raw text; later it stands for itself, since `100%25` is a fine name.
 */
export function decodeOnce(
  text: string,
  { keepStructure, raw }: DecodeOptions,
): string | DecodeFault {
  const from = unitsOf(text)
  const end = text.length
  // A raw pair of bytes can become a sequence of three characters: C0 AF, an overlong slash
  const { units, bytes } = openOutput(end * 2)
  let length = 0
  let all = 0
  for (let at = 0; at < end; ) {
    let code = from[at] ?? 0
    if (code !== PERCENT && (!raw || code < 0x80 || code > 0xff)) at++
    else {
      const lead = byteAt(from, at, end, raw)
      const size = sizeAt(from, at)
      if (lead < 0) {
        if (raw) return MALFORMED
        at++
      } else {
        const behind = lead < 0x80 ? 0 : sequenceEnd(from, at, end, lead, raw)
        code = lead < 0x80 ? lead : behind === 0 ? REPLACEMENT : codePoint
        at = behind === 0 ? at + size : behind
        // An overlong dot is a dot to some servers and a name to others: dot segments are removed before and after it is
        // decoded (WHATWG removes `/%c0%ae/..` as two segments).
        const isOverlongDot = code === DOT && lead !== DOT
        if (keepStructure && code < 0x80 && (isStructure[code] === 1 || isOverlongDot)) {
          bytes[length] = units[length] = PERCENT
          bytes[length + 1] = units[length + 1] = CAPITALS.charCodeAt(code >> 4)
          bytes[length + 2] = units[length + 2] = CAPITALS.charCodeAt(code & 15)
          length += 3
          continue
        }
        if (code > 0xffff) {
          all = 0xffff
          units[length++] = 0xd800 + ((code - 0x10000) >> 10)
          code = 0xdc00 + ((code - 0x10000) & 0x3ff)
        }
      }
    }
    if (code < 0x20 || (code > 0x7e && code < 0xa0)) return CONTROL
    all |= code
    bytes[length] = code
    units[length++] = code
  }
  return writtenText(length, all)
}

const CAPITALS = '0123456789ABCDEF'

/** The byte that a sequence (or a raw character) at this place stands for; -1 when there is none. */
function byteAt(from: Uint16Array, at: number, end: number, raw: boolean): number {
  if (at >= end) return -1
  const code = from[at] ?? 0
  if (code !== PERCENT) return raw && code > 0x7f && code < 0x100 ? code : -1
  if (at + 2 >= end) return -1
  const high = HEX[from[at + 1] ?? 0] ?? -1
  const low = HEX[from[at + 2] ?? 0] ?? -1
  return high < 0 || low < 0 ? -1 : high * 16 + low
}

function sizeAt(from: Uint16Array, at: number): number {
  return from[at] === PERCENT ? 3 : 1
}

/** Second answer of `sequenceEnd`: what the sequence encodes. */
let codePoint = 0

/** @returns the place behind a whole UTF-8 sequence, however long it was made; 0 when there is none here */
function sequenceEnd(
  from: Uint16Array,
  start: number,
  end: number,
  lead: number,
  raw: boolean,
): number {
  if (lead < 0xc0 || lead > 0xfd) return 0
  const more = lead < 0xe0 ? 1 : lead < 0xf0 ? 2 : lead < 0xf8 ? 3 : lead < 0xfc ? 4 : 5
  let code = lead & (0x3f >> more)
  let at = start + sizeAt(from, start)
  for (let i = 0; i < more; i++) {
    const byte = byteAt(from, at, end, raw)
    if (byte < 0x80 || byte > 0xbf) return 0
    code = code * 64 + (byte & 0x3f)
    at += sizeAt(from, at)
  }
  if (code > 0x10ffff || (code > 0xd7ff && code < 0xe000)) return 0
  codePoint = code
  return at
}
