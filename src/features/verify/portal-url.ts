import { browserHost, isLoopback, isWithin } from '../../kernel/host.ts'
import { type Malformed, malformed } from '../access/index.ts'
import type { CookieDomain } from '../sessions/index.ts'

/**
 * The portal that a request is sent to: the override that the proxy's own configuration made, else the cookie domain's.
 *
 * @param overrides what the dialect found; more than one is malformed
 * @param usesConfigured whether the cookie domain's own portal counts; where it doesn't, there may be none
 */
export function portalFor(
  overrides: readonly string[],
  usesConfigured: boolean,
  domain: CookieDomain,
): { readonly portal: URL | undefined } | Malformed {
  const [override] = overrides
  if (overrides.length > 1) return malformed('the portal is named more than once')
  if (override !== undefined) return parseOverride(override, domain)
  if (!usesConfigured) return { portal: undefined }
  return domain.portalUrl === undefined
    ? malformed(`the cookie domain ${domain.domain} has no portal_url`)
    : { portal: domain.portalUrl }
}

/** An override must be https (or loopback), without userinfo, inside the cookie domain. */
function parseOverride(text: string, domain: CookieDomain): { readonly portal: URL } | Malformed {
  const no = malformed('the portal that is named is none of the cookie domain')
  const url = /^https?:\/\/[^/\s\\]/i.test(text) && !/[\s\\]/.test(text) ? URL.parse(text) : null
  if (url === null || url.username !== '' || url.password !== '') return no
  const host = browserHost(url)
  if (host === undefined || !isWithin(host.name, domain.domain)) return no
  if (url.protocol !== 'https:' && !isLoopback(host.name)) return no
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
