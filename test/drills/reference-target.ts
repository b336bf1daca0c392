/** The reference's reading of what is asked about: endpoint, target, host, and the address of whoever asks. */
import { isIP } from 'node:net'
import { type AskedOf, valuesOf, withoutBlanks } from './http.ts'
import type { World } from './reference.ts'

/** Why a request is malformed. No Error: one of those takes longer to make than the rest of an answer. */
export class Malformed {
  readonly why: string
  constructor(why: string) {
    this.why = why
  }
}

export type Endpoint = 'verify' | 'auth-request' | 'forward-auth' | 'ext-authz' | 'legacy'

const PATHS: Readonly<Record<string, Endpoint>> = {
  '/verify': 'verify',
  '/api/authz/auth-request': 'auth-request',
  '/api/authz/forward-auth': 'forward-auth',
}
/** What follows these is part of what is asked about. */
const PREFIXES = { 'ext-authz': '/api/authz/ext-authz', legacy: '/api/verify' } as const

/** The router decodes a path before it compares, and looks behind the host of a whole URL. */
export function endpointOf(target: string): Endpoint | 'undecodable' | undefined {
  const [absolute, behind = ''] = /^https?:\/\/[^/?#]+([^#]*)$/i.exec(target) ?? []
  const isWhole = /^https?:\/\//i.test(target)
  if (isWhole && (absolute === undefined || URL.parse(target) === null)) return 'undecodable'
  const path = (isWhole ? behind : target).replace(/(?!^)[?#].*$/s, '')
  let decoded: string
  try {
    decoded = decodeURI(path)
    for (const [endpoint, prefix] of Object.entries(PREFIXES)) {
      if (decoded !== prefix && !decoded.startsWith(`${prefix}/`)) continue
      decodeURIComponent(path)
      // A key of PREFIXES, as its own entries have it.
      return endpoint as keyof typeof PREFIXES
    }
  } catch {
    return 'undecodable'
  }
  return PATHS[decoded]
}

export interface Asked {
  readonly isOriginal: boolean
  /** Exactly as sent. */
  readonly url: string
  readonly scheme: string
  readonly host: string
  readonly path: string
  readonly query: string | undefined
  readonly method: string
}

/** The parts of a target as they were sent. */
interface Parts {
  readonly url: string
  readonly scheme: string
  readonly authority: string
  readonly rest: string
  readonly method: string
}

const MAX_URL = 16 * 1024
/** The server's own bounds, narrower than the contract's words: nothing that anybody sends is longer. */
const MAX_METHOD = 32
const MAX_HOPS = 100
const MAX_AUTHORITY = 261

export function readTarget(request: AskedOf, endpoint: Endpoint): Asked {
  const { headers } = request
  const isThere = (name: string) => valuesOf(headers, name).some((value) => value !== '')
  const isOriginal =
    endpoint === 'auth-request' ||
    ((endpoint === 'verify' || endpoint === 'legacy') && isThere('x-original-url'))
  // Blank or not: of two, nobody can say which one the proxy wrote.
  if (endpoint === 'verify' && valuesOf(headers, 'x-original-url').length > 1)
    throw new Malformed('two x-original-url')
  const parts =
    endpoint === 'ext-authz'
      ? ownParts(request)
      : endpoint === 'legacy'
        ? legacyParts(request, isOriginal)
        : isOriginal
          ? {
              ...splitUrl(once(headers, 'x-original-url')),
              method: once(headers, 'x-original-method'),
            }
          : forwardedParts(headers)
  const { url, scheme: written, authority, rest, method } = parts
  if (url.length > MAX_URL) throw new Malformed('too long')
  if (!/^[A-Z]+$/.test(method) || method.length > MAX_METHOD) throw new Malformed('the method')
  const methods = endpoint === 'legacy' ? [method, request.method] : [method]
  if (methods.some((one) => one === 'CONNECT' || one === 'TRACE'))
    throw new Malformed('a method that cannot be judged')
  const scheme = written.toLowerCase()
  if (!['https', 'wss', 'http', 'ws'].includes(scheme)) throw new Malformed('the scheme')
  const host = hostOf(authority, scheme)
  if (host === undefined) throw new Malformed('the host')
  if (/[\0-\x20\x7f]/.test(rest)) throw new Malformed('a control character or a space')
  if (!['https', 'wss'].includes(scheme) && !isLoopback(host.name)) throw new Malformed('no TLS')
  if (endpoint === 'verify' && isOriginal) {
    const other = ['x-forwarded-host', 'x-forwarded-uri', 'x-forwarded-method'].map((name) =>
      valuesOf(headers, name).length > 0 ? onceOrBlank(headers, name) || undefined : undefined,
    )
    const otherHost = other[0] === undefined ? host : hostOf(other[0], scheme)
    if (
      otherHost?.name !== host.name ||
      otherHost.port !== host.port ||
      (other[1] ?? rest) !== rest ||
      (other[2] ?? method) !== method
    )
      throw new Malformed('the families differ')
  }
  const [path = ''] = rest.split('?', 1)
  const query = path === rest ? undefined : rest.slice(path.length + 1)
  return { isOriginal, url, scheme, host: host.name, path, query, method }
}

function splitUrl(url: string): Omit<Parts, 'method'> {
  const [, scheme = '', authority = '', rest = ''] =
    /^([A-Za-z]+):\/\/([^/?#]*)(.*)$/s.exec(url) ?? []
  return { url, scheme, authority, rest }
}

function joined(scheme: string, authority: string, rest: string, method: string): Parts {
  return { url: `${scheme}://${authority}${rest}`, scheme, authority, rest, method }
}

function forwardedParts(headers: AskedOf['headers']): Parts {
  const rest = onceOrBlank(headers, 'x-forwarded-uri')
  if (rest !== '' && !/^[/?]/.test(rest)) throw new Malformed('the URI is no path')
  return joined(
    once(headers, 'x-forwarded-proto'),
    once(headers, 'x-forwarded-host'),
    rest,
    once(headers, 'x-forwarded-method'),
  )
}

/** Envoy's: the request itself, behind the endpoint. */
function ownParts({ headers, target, method }: AskedOf): Parts {
  if (!target.startsWith(PREFIXES['ext-authz'])) throw new Malformed('an odd address of ours')
  const rest = target.slice(PREFIXES['ext-authz'].length).replace(/^\/\//, '/')
  return joined(once(headers, 'x-forwarded-proto'), once(headers, 'host'), rest, method)
}

/** X-Original-URL, else what was forwarded, else the request itself; nothing twice. */
function legacyParts({ headers, target, method: own }: AskedOf, isOriginal: boolean): Parts {
  const found = (name: string): string | undefined =>
    valuesOf(headers, name).length === 0 ? undefined : onceOrBlank(headers, name)
  const url = found('x-original-url') ?? ''
  const [proto, host, uri, method, authority] = [
    found('x-forwarded-proto') || 'http',
    found('x-forwarded-host') || '',
    found('x-forwarded-uri'),
    found('x-forwarded-method') || own,
    found('host') ?? '',
  ]
  if (!target.startsWith(PREFIXES.legacy)) throw new Malformed('an odd address of ours')
  if (isOriginal) return { ...splitUrl(url), method }
  if (host !== '' && uri === undefined) throw new Malformed('a host without its path')
  const rest = uri ?? target
  if (rest !== '' && !/^[/?]/.test(rest)) throw new Malformed('the URI is no path')
  return joined(proto, host === '' ? authority : host, rest, method)
}

/** The value of a header that has to be there exactly once, and not blank. */
function once(headers: AskedOf['headers'], name: string): string {
  const value = onceOrBlank(headers, name)
  if (value === '') throw new Malformed(`${name} is blank`)
  return value
}

function onceOrBlank(headers: AskedOf['headers'], name: string): string {
  const values = valuesOf(headers, name)
  const [value] = values
  if (value === undefined || values.length > 1) throw new Malformed(`${values.length} ${name}`)
  return value
}

const PORTS: Readonly<Record<string, string>> = { http: '80', ws: '80', https: '443', wss: '443' }

/** A name or an address, and perhaps a port; canonical: lower case, no last dot, no default port. */
export function hostOf(
  authority: string,
  scheme: string,
): { readonly name: string; readonly port: string } | undefined {
  const [, written = '', digits] =
    /^(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._-]+)(?::([0-9]+))?$/.exec(authority) ?? []
  if (written === '' || authority.length > MAX_AUTHORITY || Number(digits ?? 0) > 65_535)
    return undefined
  const port = digits === undefined ? (PORTS[scheme] ?? '') : String(Number(digits))
  if (written.startsWith('[')) {
    const inner = written.slice(1, -1)
    const name = isIP(inner) === 6 ? addressOf(inner) : undefined
    return name === undefined ? undefined : { name, port }
  }
  const name = written.toLowerCase().replace(/\.$/, '')
  if (name.split('.').includes('')) return undefined
  // What looks like punycode has to be some, and what ends in a number has to be an address (WHATWG URL §3.5).
  return URL.parse(`https://${name}`) === null ? undefined : { name, port }
}

export function isLoopback(host: string): boolean {
  return (
    host === '::1' ||
    host === 'localhost' ||
    host.endsWith('.localhost') ||
    (isIP(host) === 4 && host.startsWith('127.'))
  )
}

/** Whether a cookie domain covers a host: itself and every name below it; an address and `localhost` itself alone. */
export function covers(domain: string, host: string): boolean {
  const isAlone = isIP(domain) !== 0 || domain === 'localhost'
  return host === domain || (!isAlone && host.endsWith(`.${domain}`))
}

/** Canonical text of an address: an IPv4 address that is written as IPv6 is one (RFC 4291 §2.5.5.2). */
function addressOf(text: string): string | undefined {
  if (isIP(text) === 4) return text
  if (isIP(text) !== 6 || text.includes('%')) return undefined
  const canonical = new URL(`http://[${text}]`).hostname.slice(1, -1)
  const [, high, low] = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(canonical) ?? []
  if (high === undefined || low === undefined) return canonical
  return Buffer.from(high.padStart(4, '0') + low.padStart(4, '0'), 'hex').join('.')
}

/** The right-most hop that is no trusted proxy; the first one when all are. */
export function clientOf(headers: AskedOf['headers'], peer: string, world: World): string {
  const chain = valuesOf(headers, 'x-forwarded-for').join(',')
  if (withoutBlanks(chain) === '') return peer
  const hops = chain.split(',')
  if (hops.length > MAX_HOPS) throw new Malformed('too many hops')
  let client = peer
  for (const hop of hops.reverse()) {
    const address = addressOf(withoutBlanks(hop))
    if (address === undefined) throw new Malformed(`no address: ${hop}`)
    client = address
    if (!world.isTrusted(address)) break
  }
  return client
}
