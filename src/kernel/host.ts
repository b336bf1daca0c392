import { parseAddress } from './cidr.ts'

/** A host in its one canonical spelling. */
export interface Host {
  /** Lower case, punycode, no port, no trailing dot; v6 without brackets. */
  readonly name: string
  /** The port as a number, or undefined when it is the scheme's own. */
  readonly port: number | undefined
}

const DEFAULT_PORTS: Readonly<Record<string, number>> = { http: 80, ws: 80, https: 443, wss: 443 }
const MAX_AUTHORITY = 255 + 6 // RFC 1035 §2.3.4, and a port
/**
 * A name in its canonical spelling, which the URL parser would return unchanged: no port, nothing to decode (a label
 * that begins with `xn--` is checked by the parser), and no address (the last label of one begins with a digit).
 */
const CANONICAL = /^(?!xn--)[a-z0-9_][a-z0-9_-]*(?:\.(?!xn--)[a-z0-9_][a-z0-9_-]*)*$/
const ENDS_IN_A_NAME = /(?:^|\.)[a-z_][^.]*$/

/**
 * Canonicalises an authority (`Host` header, the part after `//`): case, IDN, trailing dot, default port.
 *
 * Advisory 1: `a.B.example.com`, `a.b.example.com.` and `a.b.example.com:443` must meet the same rule.
 * @param scheme one of http, https, ws, wss: decides which port is the default one
 * @returns undefined when it is no host: userinfo, spaces, control characters, an empty label, a port that is none
 */
export function parseHost(authority: string, scheme: string): Host | undefined {
  if (authority.length === 0 || authority.length > MAX_AUTHORITY) return undefined
  if (CANONICAL.test(authority) && ENDS_IN_A_NAME.test(authority))
    return { name: authority, port: undefined }
  if (/[\s/\\?#@%\0-\x20\x7f]/.test(authority)) return undefined
  // ws and wss canonicalise as http and https; URL knows the host rules of both.
  const web = scheme === 'https' || scheme === 'wss' ? 'https' : 'http'
  const parsed = URL.parse(`${web}://${authority}/`)
  if (parsed === null || parsed.username !== '' || parsed.password !== '') return undefined
  if (/:$/.test(authority)) return undefined
  const name = parsed.hostname.replace(/\.$/, '')
  // WHATWG lets commas, stars and brackets through: `evil.com,app.example.com` is a list, not a host (advisory 42).
  if (!/^[a-z0-9_-]+(\.[a-z0-9_-]+)*$/.test(name) && !name.startsWith('[')) return undefined
  const port = parsed.port === '' ? undefined : Number(parsed.port)
  return { name: unbracket(name), port: port === DEFAULT_PORTS[scheme] ? undefined : port }
}

/**
 * The host of an address that a browser is sent to.
 *
 * @returns undefined for what `parseHost` refuses, and for a name with a dot at its end: to a browser that is another
 *   origin, and a cookie of the name without the dot is not sent there
 */
export function browserHost({ host, hostname, protocol }: URL): Host | undefined {
  return hostname.endsWith('.') ? undefined : parseHost(host, protocol.slice(0, -1))
}

function unbracket(name: string): string {
  if (!name.startsWith('[')) return name
  return parseAddress(name.slice(1, -1))?.text ?? name.slice(1, -1)
}

/** Whether a canonical host name is the domain or lies below it; label by label, never by suffix alone. */
export function isWithin(name: string, domain: string): boolean {
  return name === domain || (domain !== '' && name.endsWith(`.${domain}`) && !isAddress(name))
}

export function isAddress(name: string): boolean {
  return parseAddress(name) !== undefined
}

/** Names that reach this very machine: the only ones for which http is accepted. RFC 6761 §6.3, RFC 1122 §3.2.1.3. */
export function isLoopback(name: string): boolean {
  return (
    name === 'localhost' ||
    name.endsWith('.localhost') ||
    name === '::1' ||
    (/^127\.\d+\.\d+\.\d+$/.test(name) && isAddress(name))
  )
}
