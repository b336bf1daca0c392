/**
 * Controls (C0, DEL, C1), format characters (bidirectional overrides, zero-width), line and paragraph separators, lone
 * surrogates: what moves a cursor, turns text around, or makes one line look like two.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu

/**
 * Text that came from outside, safe to show on a terminal or in a line of a log: what cannot be seen is spelled `\u001b`.
 * Safe inside JSON strings too, where the escape means the same character.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escapeUnits)
}

/** UTF-16 code units as `\uXXXX`, as JSON and ECMAScript write them. */
export function escapeUnits(text: string): string {
  let escaped = ''
  for (let i = 0; i < text.length; i++) {
    escaped += `\\u${text.charCodeAt(i).toString(16).padStart(4, '0')}`
  }
  return escaped
}
