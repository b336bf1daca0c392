import type { CookieDomain } from '../../../sessions/index.ts'

/** The portal of one cookie domain, as keys and browsers know it. */
export interface Site {
  /** Relying party id: the portal's host name. A key that was registered for it works there alone. */
  readonly rpId: string
  /** Where the browser must say that it is. */
  readonly origin: string
  /** The cookie domain. */
  readonly domain: string
}

/** @returns undefined for a cookie domain whose portal has no address: keys cannot be used there */
export const siteOf = ({ domain, portalUrl }: CookieDomain): Site | undefined =>
  portalUrl && { rpId: portalUrl.hostname, origin: portalUrl.origin, domain }
