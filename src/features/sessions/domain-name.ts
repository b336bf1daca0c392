import { parseAddress } from '../../kernel/cidr.ts'
import { browserHost, isLoopback, isWithin, parseHost } from '../../kernel/host.ts'
import { isPublicSuffix } from '../../kernel/public-suffix.ts'

const LABEL = /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/

/**
 * The domain of a cookie in its one spelling: without the dot that old configurations put in front, addresses in their
 * canonical form.
 */
export function canonicalDomain(written: string): string {
  const domain = written.startsWith('.') ? written.slice(1) : written
  return parseAddress(domain)?.text ?? domain
}

/**
 * Whether a cookie for this domain must come without `Domain`: an address has no subdomains, and a bare `localhost` is
 * a public suffix to browsers, so that a cookie with `Domain=localhost` is not shared with `app.localhost`.
 * @param domain canonical
 */
export function isHostOnly(domain: string): boolean {
  return domain === 'localhost' || parseAddress(domain) !== undefined
}

/** Whether the cookie of this domain is sent to this host. Both canonical. */
export function covers(domain: string, host: string): boolean {
  return isHostOnly(domain) ? host === domain : isWithin(host, domain)
}

/** What is wrong with a cookie domain, and what would be right; undefined when nothing is. */
export function domainFault(written: string): { message: string; allowed: string } | undefined {
  const domain = canonicalDomain(written)
  const allowed = 'example.com (it covers every name below it), an IP address, localhost'
  if (isHostOnly(domain)) return undefined
  if (written.startsWith('*')) return { message: 'is a wildcard', allowed }
  if (/[A-Z]/.test(domain)) return { message: 'is not in lower case', allowed }
  if (/[^a-z0-9.-]/.test(domain)) {
    return {
      message: 'is no domain',
      allowed: `${allowed}; other alphabets in their xn-- form`,
    }
  }
  if (domain.length > 253 || !domain.split('.').every((label) => LABEL.test(label)))
    return { message: 'is no domain', allowed }
  if (!domain.includes('.')) {
    return { message: 'has no dot: browsers refuse a cookie for it', allowed }
  }
  // As a browser reads it: 1.2.3 is 1.2.0.3 to it.
  if (parseHost(domain, 'https')?.name !== domain) return { message: 'is no domain', allowed }
  if (isPublicSuffix(domain)) {
    return {
      message:
        'is a public suffix: other people have names below it, and browsers refuse a cookie for it',
      allowed: `your own name below it, such as home.${domain}`,
    }
  }
  return undefined
}

/** What is wrong with an address that has to lie inside a cookie domain; undefined when nothing is. */
export function urlFault(written: string, domain: string, key: string): string | undefined {
  const url = new URL(written)
  const host = browserHost(url)
  if (host === undefined) return 'has no host that can be used'
  if (!covers(domain, host.name)) return `is not inside the cookie domain ${domain}`
  if (url.protocol !== 'https:' && !isLoopback(host.name)) {
    return 'is not https: browsers do not send the cookie there'
  }
  if (key === 'portal_url' && (url.search !== '' || url.hash !== ''))
    return 'has a query or a fragment'
  return undefined
}

/** Whether two addresses are one page. */
export function samePage(a: string, b: string): boolean {
  const page = (text: string) => new URL(text).href.replace(/\/$/, '')
  return page(a) === page(b)
}
