import type { DomainBrandingConfig } from '../../http/manifest.ts'
import { canonicalDomain, isHostOnly } from './domain-name.ts'
import type { SessionConfig } from './manifest.ts'

/** A domain that one sign-in covers, and how long that lasts. */
export interface CookieDomain {
  /** Canonical: lower case, no dot in front. */
  readonly domain: string
  /** The cookie goes to this very host and to nothing below it. */
  readonly hostOnly: boolean
  /** Its path ends in a slash. */
  readonly portalUrl: URL | undefined
  readonly defaultRedirectionUrl: string | undefined
  /** The cookie's name. */
  readonly name: string
  readonly sameSite: 'lax' | 'strict' | 'none'
  /** Milliseconds from signing in. */
  readonly expiration: number
  /** Milliseconds from last use; 0: no limit. */
  readonly inactivity: number
  /** Milliseconds from signing in when remembered; 0: sign-ins are not remembered. */
  readonly rememberMe: number
  /** What its pages look like, where that is not as everywhere. */
  readonly branding?: DomainBrandingConfig | undefined
}

/** The domains of the configuration, each with what it does not say itself taken from `session`. */
export function cookieDomains(config: SessionConfig): readonly CookieDomain[] {
  return config.cookies.map((entry) => {
    const domain = canonicalDomain(entry.domain)
    return {
      domain,
      hostOnly: isHostOnly(domain),
      portalUrl: entry.portal_url === undefined ? undefined : folder(entry.portal_url),
      defaultRedirectionUrl: entry.default_redirection_url,
      name: entry.name ?? config.name,
      sameSite: entry.same_site ?? config.same_site,
      expiration: entry.expiration ?? config.expiration,
      inactivity: entry.inactivity ?? config.inactivity,
      rememberMe: entry.remember_me ?? config.remember_me,
      ...(entry.branding !== undefined && { branding: entry.branding }),
    }
  })
}

function folder(text: string): URL {
  const url = new URL(text)
  if (!url.pathname.endsWith('/')) url.pathname += '/'
  return url
}

/**
 * Finds the domain that covers a canonical host; at most one does, as domains don't overlap. On the verify path, so it
 * compares texts only: a domain that is not host-only is never an address.
 */
export function domainFinder(
  domains: readonly CookieDomain[],
): (host: string) => CookieDomain | undefined {
  const entries = domains.map((domain) => ({
    domain,
    suffix: domain.hostOnly ? undefined : `.${domain.domain}`,
  }))
  return (host) => {
    for (const { domain, suffix } of entries) {
      if (host === domain.domain || (suffix !== undefined && host.endsWith(suffix))) return domain
    }
    return undefined
  }
}
