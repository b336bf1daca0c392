import { type Host, isLoopback, parseHost } from '../../kernel/host.ts'
import { memoize } from '../../kernel/memo.ts'
import { MAX_TARGET_LENGTH } from '../../kernel/redirect.ts'
import type { Target } from './question.ts'

/** A target with the text that it was read from. `url` is the target exactly as sent, one character a byte. */
export interface Asked {
  readonly target: Target
  readonly url: string
}

/** Why it is malformed; for the log, never for the client. */
export type Malformed = { readonly malformed: string }

export const malformed = (reason: string): Malformed => ({ malformed: reason })

const SCHEMES: Readonly<Record<string, string>> = {
  https: 'https',
  http: 'http',
  wss: 'wss',
  ws: 'ws',
}

/** Authorities repeat from request to request; parsing one costs more than the rest of a target. */
const hostOf = {
  https: memoize((authority) => readHost(authority, 'https')),
  http: memoize((authority) => readHost(authority, 'http')),
  wss: memoize((authority) => readHost(authority, 'wss')),
  ws: memoize((authority) => readHost(authority, 'ws')),
} as const satisfies Record<string, (authority: string) => Host | null>

/**
 * The host of an authority as the proxy has seen it: but for case, a last dot and a port, what is written is what counts.
 * WHATWG's rules would make other hosts of some: 0xAD goes away, 0xAA is an `a`, `0x7f.1` and `2130706433` are 127.0.0.1.
 */
export function readHost(authority: string, scheme: string): Host | null {
  const host = parseHost(authority, scheme)
  if (host === undefined) return null
  const written = authority.toLowerCase().replace(/:\d+$/, '').replace(/\.$/, '')
  return written === host.name || written.startsWith('[') ? host : null
}

/**
 * Splits a target URL by hand, character for character: WHATWG's parser would clean the path before the rules see it,
 * and read `//admin` as a host (advisory 43). The host alone goes through WHATWG's host rules.
 *
 * @param url at most 16 KiB, no control character, no space, no userinfo, a host in ASCII; anything else is malformed
 * @param method `A`–`Z` only, neither CONNECT nor TRACE
 */
export function parseTarget(url: string, method: string, address: string): Asked | Malformed {
  if (url.length > MAX_TARGET_LENGTH) return malformed('the target URL is longer than 16 KiB')
  const colon = url.indexOf('://')
  if (colon < 2 || colon > 5) return malformed('the target URL is not absolute')
  const scheme = SCHEMES[url.slice(0, colon).toLowerCase()]
  if (scheme === undefined)
    return malformed('the scheme of the target URL is not http, https, ws or wss')
  let end = colon + 3
  while (end < url.length && !isDelimiter(url.charCodeAt(end))) end++
  return parseParts(scheme, url.slice(colon + 3, end), url.slice(end), url, method, address)
}

/**
 * The same from parts, as X-Forwarded-Proto, -Host and -URI give them.
 * @param rest path, query and fragment as sent: empty, or begins with `/` or `?`
 */
export function parseParts(
  scheme: string,
  authority: string,
  rest: string,
  url: string,
  method: string,
  address: string,
): Asked | Malformed {
  if (url.length > MAX_TARGET_LENGTH) return malformed('the target URL is longer than 16 KiB')
  if (!isMethod(method)) return malformed('the method is not made of A–Z')
  if (isUnjudgeable(method)) return UNJUDGEABLE
  const known = SCHEMES[scheme]
  if (known === undefined) return malformed('the scheme is not http, https, ws or wss')
  // The cast is what the line above has shown: SCHEMES and hostOf have the same four keys.
  const host = hostOf[known as keyof typeof hostOf](authority)
  if (host === null) return malformed('the host of the target is not one')
  if (hasControl(rest)) return malformed('the target holds a space or a control character')
  if ((known === 'http' || known === 'ws') && !isLoopback(host.name))
    return malformed('the target is plain http, and its host is not this machine')
  const question = rest.indexOf('?')
  const path = question === -1 ? rest : rest.slice(0, question)
  return {
    url,
    target: {
      scheme: known,
      host: host.name,
      path: hasHighByte(path) ? encodeHighBytes(path) : path,
      query: question === -1 ? undefined : rest.slice(question + 1),
      method,
      address,
    },
  }
}

/**
 * Whether a request with this method cannot be judged. CONNECT opens a tunnel, and no later request inside it is asked
 * about. TRACE sends the headers of the request back, which hold what the proxy added.
 */
export const isUnjudgeable = (method: string): boolean => method === 'CONNECT' || method === 'TRACE'

export const UNJUDGEABLE = malformed('the method is CONNECT or TRACE')

const isDelimiter = (code: number): boolean => code === 0x2f || code === 0x3f || code === 0x23

export function isMethod(method: string): boolean {
  if (method.length === 0 || method.length > 32) return false
  for (let i = 0; i < method.length; i++) {
    const code = method.charCodeAt(i)
    if (code < 0x41 || code > 0x5a) return false
  }
  return true
}

function hasControl(text: string): boolean {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code <= 0x20 || code === 0x7f) return true
  }
  return false
}

function hasHighByte(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return true
  return false
}

/** Raw bytes above 0x7f become their percent-encoding, which is what the app's server will read them as. */
function encodeHighBytes(text: string): string {
  return text.replace(
    /[\x80-\xff]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}
