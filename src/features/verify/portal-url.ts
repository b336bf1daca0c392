import { isLoopback, isWithin, parseHost } from '../../kernel/host.ts'
import type { CookieDomain } from '../sessions/index.ts'
import { type Malformed, malformed } from './target.ts'

/**
 * The portal that a request is sent to: the override that the proxy's own configuration put into the endpoint's query,
 * else the cookie domain's.
 */
export function portalFor(
  endpointUrl: string,
  domain: CookieDomain,
): { readonly portal: URL } | Malformed {
  const question = endpointUrl.indexOf('?')
  if (question !== -1) {
    const overrides = new URLSearchParams(endpointUrl.slice(question + 1)).getAll('authelia_url')
    if (overrides.length > 1) return malformed('authelia_url came more than once')
    const [override] = overrides
    if (override !== undefined) return parseOverride(override, domain)
  }
  return domain.portalUrl === undefined
    ? malformed(`the cookie domain ${domain.domain} has no portal_url`)
    : { portal: domain.portalUrl }
}

/** An override must be https (or loopback), without userinfo, inside the cookie domain. */
function parseOverride(text: string, domain: CookieDomain): { readonly portal: URL } | Malformed {
  const no = malformed('authelia_url is no portal of the cookie domain')
  const url = /^https?:\/\/[^/\s\\]/i.test(text) && !/[\s\\]/.test(text) ? URL.parse(text) : null
  if (url === null || url.username !== '' || url.password !== '') return no
  const scheme = url.protocol.slice(0, -1)
  const host = parseHost(url.host, scheme)
  if (host === undefined || !isWithin(host.name, domain.domain)) return no
  if (scheme !== 'https' && !isLoopback(host.name)) return no
  return { portal: url }
}

/**
 * The portal's URL with `rd` and `rm`: keys sorted, bytes percent-encoded like a form.
 * @param target exactly as sent, one character a byte
 */
export function signInUrl(portal: URL, target: string, method: string, path = ''): string {
  const own = [...portal.searchParams].filter(([key]) => key !== 'rd' && key !== 'rm')
  const pairs = [
    ...own.map(([key, value]) => [
      encodeForm(Buffer.from(key).toString('latin1')),
      encodeForm(Buffer.from(value).toString('latin1')),
    ]),
    ['rd', encodeForm(target)],
    ['rm', method],
  ].sort(([a = ''], [b = '']) => (a < b ? -1 : a > b ? 1 : 0))
  const base = path === '' ? portal.pathname : `${portal.pathname.replace(/\/$/, '')}${path}`
  return `${portal.origin}${base}?${pairs.map(([key, value]) => `${key}=${value}`).join('&')}`
}

/** application/x-www-form-urlencoded (WHATWG URL §5.2) over bytes. */
function encodeForm(bytes: string): string {
  return bytes.replace(/[^A-Za-z0-9*._-]/g, (char) =>
    char === ' ' ? '+' : `%${char.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  )
}
