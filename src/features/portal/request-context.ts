import type { FastifyRequest } from 'fastify'
import type { Peers } from '../../http/peers.ts'
import { AppError } from '../../kernel/errors.ts'
import { isLoopback, parseHost } from '../../kernel/host.ts'
import { type CookieDomain, cookieValues, type Identity, type Sessions } from '../sessions/index.ts'
import { deviceCookieName, reservationCookieName } from '../throttle/index.ts'

/** The facts of one request to the portal: its cookie domain, its client, its session. */
export interface RequestContext {
  readonly domain: CookieDomain
  /** The host that the browser sees, canonical. */
  readonly host: string
  /** The browser's connection to the portal or to the proxy in front is one on which Secure cookies work. */
  readonly secure: boolean
  /** The client's address, canonical; empty behind a unix socket that names none. */
  readonly address: string
  readonly userAgent: string
  readonly identity: Identity | undefined
  /** Values of every session cookie that came along: signing in and out ends what they stand for. */
  readonly cookies: readonly string[]
  /** Values of every device cookie. */
  readonly devices: readonly string[]
  /** Values of the cookie that a limited browser was given; undefined when the client is no browser. */
  readonly reservations: readonly string[] | undefined
}

/**
 * @throws AppError COOKIE_DOMAIN_UNKNOWN when no cookie domain covers the portal's host, URL_INVALID when the address
 *   chain of a trusted proxy is broken, STORE_UNAVAILABLE
 */
export async function readContext(
  request: FastifyRequest,
  { sessions, peers }: { readonly sessions: Sessions; readonly peers: Peers },
): Promise<RequestContext> {
  const { socket, headers, rawHeaders } = request.raw
  // Forwarded headers of any other peer are ignored (requirement 6).
  const trusted = peers.trusts(socket)
  const address = trusted
    ? peers.clientBehind(socket, valuesOf(rawHeaders, 'x-forwarded-for'))
    : peers.addressOf(socket)
  if (address === undefined)
    throw new AppError('URL_INVALID', {
      reason: 'X-Forwarded-For holds something that is no address',
    })
  const forwardedHost = trusted ? single(headers['x-forwarded-host']) : ''
  const forwardedProto = trusted ? single(headers['x-forwarded-proto']).toLowerCase() : ''
  const scheme = forwardedProto === 'https' ? 'https' : 'http'
  const authority = forwardedHost === '' ? (headers.host ?? '') : forwardedHost
  const host = parseHost(authority, scheme)
  const domain = host === undefined ? undefined : sessions.domainOf(host.name)
  if (host === undefined || domain === undefined)
    throw new AppError('COOKIE_DOMAIN_UNKNOWN', {
      host: host?.name ?? '',
      ...portalAddress(request, host?.name ?? '', sessions),
    })
  const cookies: string[] = []
  const devices: string[] = []
  const reservations: string[] = []
  for (const header of valuesOf(rawHeaders, 'cookie')) {
    // All of them: cookies that other hosts and paths plant in front must not hide a session that is to end, or a known device.
    cookieValues(header, domain.name, cookies, Number.POSITIVE_INFINITY)
    cookieValues(header, deviceCookieName(domain), devices, Number.POSITIVE_INFINITY)
    cookieValues(header, reservationCookieName(domain), reservations)
  }
  return {
    domain,
    host: host.name,
    secure: scheme === 'https' || isLoopback(host.name),
    address,
    userAgent: single(headers['user-agent']).slice(0, 512),
    identity: cookies.length === 0 ? undefined : await sessions.identify(cookies, domain),
    cookies,
    devices,
    // Browsers say where a request that writes comes from; programs that post JSON do not.
    reservations:
      headers['sec-fetch-site'] !== undefined || headers.origin !== undefined
        ? reservations
        : undefined,
  }
}

/**
 * Where a browser that opened another name finds the portal. `straight`: it is redirected there. That is so when it opened this
 * very listener by a loopback name and the portal is this listener too: behind a proxy that hides the host, the redirect would
 * loop.
 */
function portalAddress(
  { method, url, socket }: FastifyRequest,
  host: string,
  { domains }: Pick<Sessions, 'domains'>,
): { readonly portal?: string; readonly isLocal?: boolean; readonly straight?: boolean } {
  const portal = domains.find(({ portalUrl }) => portalUrl !== undefined)?.portalUrl
  if (portal === undefined) return {}
  const isLocal = isLoopback(portal.hostname)
  const straight =
    method === 'GET' &&
    (url === '/' || url === '') &&
    isLocal &&
    isLoopback(host) &&
    portal.protocol === 'http:' &&
    Number(portal.port || 80) === socket.localPort
  return { portal: portal.href, isLocal: isLocal && !isLoopback(host), straight }
}

const single = (value: string | readonly string[] | undefined): string =>
  typeof value === 'string' ? value : ''

function valuesOf(rawHeaders: readonly string[], name: string): readonly string[] {
  const values: string[] = []
  for (let i = 0; i + 1 < rawHeaders.length; i += 2) {
    if (rawHeaders[i]?.toLowerCase() === name) values.push(rawHeaders[i + 1] ?? '')
  }
  return values
}
