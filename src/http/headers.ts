/**
 * The response headers of requirement 20, in one place. A verify 200 carries none of them: the proxy drops them, and seven
 * more headers cost 15 % of the throughput of verify.
 */

const PERMISSIONS_POLICY =
  'accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), keyboard-map=(), magnetometer=(), microphone=(), midi=(), payment=(), picture-in-picture=(), screen-wake-lock=(), sync-xhr=(), xr-spatial-tracking=(), interest-cohort=()'

export type Headers = Readonly<Record<string, string>>

export interface HeaderSets {
  /** Every response that a browser may receive. */
  readonly base: Headers
  /** JSON answers, and what verify says when it does not say yes. */
  readonly api: Headers
  /** Pages, without their Content-Security-Policy, which each page makes for itself. */
  readonly page: Headers
  /** Who may frame our pages: the value of `frame-ancestors`. */
  readonly frameAncestors: string
}

export function createHeaderSets({
  hsts,
  frameAncestors,
}: {
  /** The value of Strict-Transport-Security, or undefined for none. */
  readonly hsts: string | undefined
  /** Origins that may frame the portal; empty: none. */
  readonly frameAncestors: readonly string[]
}): HeaderSets {
  const base: Headers = {
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'strict-origin-when-cross-origin',
    // X-Frame-Options knows no list of origins: with one, frame-ancestors alone speaks.
    ...(frameAncestors.length === 0 && { 'X-Frame-Options': 'DENY' }),
    'X-DNS-Prefetch-Control': 'off',
    'Permissions-Policy': PERMISSIONS_POLICY,
    ...(hsts !== undefined && { 'Strict-Transport-Security': hsts }),
  }
  return {
    base,
    api: {
      ...base,
      'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
      Pragma: 'no-cache',
      'Cache-Control': 'no-store',
    },
    page: {
      ...base,
      'Cache-Control': 'no-store',
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Resource-Policy': 'same-origin',
    },
    frameAncestors: frameAncestors.length === 0 ? "'none'" : frameAncestors.join(' '),
  }
}
