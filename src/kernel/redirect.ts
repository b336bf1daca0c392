import { browserHost, isLoopback, isWithin } from './host.ts'

/** A target longer than this is malformed at every endpoint: 16 KiB. */
export const MAX_TARGET_LENGTH = 16 * 1024

/**
 * Whether a browser may be sent to this target (requirement 15).
 *
 * Decided on the URL as a browser parses it (WHATWG), never by prefix or pattern; the caller then uses `target`
 * exactly as it was sent.
 * @param domains canonical cookie domains
 */
export function isSafeRedirect(target: string, domains: readonly string[]): boolean {
  if (target.length === 0 || target.length > MAX_TARGET_LENGTH) return false
  // Browsers drop tabs and newlines and read `\` as `/`: what we judge would not be what they open.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is refused
  if (/[\s\\\x00-\x20\x7f-\x9f]/.test(target)) return false
  const url = URL.parse(target)
  if (url === null) return false
  // Without `//`, a browser on a page of the same scheme reads `https:x` as a path.
  if (!/^https?:\/\/[^/]/i.test(target)) return false
  if (url.username !== '' || url.password !== '' || authorityOf(target).includes('@')) return false
  const scheme = url.protocol.slice(0, -1)
  const host = browserHost(url)
  if (host === undefined) return false
  if (scheme !== 'https' && !(scheme === 'http' && isLoopback(host.name))) return false
  return domains.some((domain) => isWithin(host.name, domain))
}

function authorityOf(target: string): string {
  return /^[^/]*\/\/([^/?#]*)/.exec(target)?.[1] ?? ''
}
