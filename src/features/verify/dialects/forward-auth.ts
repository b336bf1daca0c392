import { malformed, parseParts } from '../../access/index.ts'
import { autheliaUrl, type Dialect, redirectStatus } from '../dialect.ts'
import { FIELD, isPresent } from '../fields.ts'

/** Traefik, Caddy, HAProxy, Skipper: the URL in parts; the answer goes to the browser as it is. */
export const forwardAuth: Dialect = {
  name: 'forward-auth',
  takesTail: false,
  malformed: 400,
  read(fields, address) {
    const { forwardedProto, forwardedHost, forwardedUri, forwardedMethod } = fields
    if (
      fields.repeated &
      (FIELD.forwardedProto | FIELD.forwardedHost | FIELD.forwardedUri | FIELD.forwardedMethod)
    )
      return malformed('an X-Forwarded header came more than once')
    if (!isPresent(forwardedProto)) return malformed('X-Forwarded-Proto is missing')
    if (!isPresent(forwardedHost)) return malformed('X-Forwarded-Host is missing')
    if (!isPresent(forwardedMethod)) return malformed('X-Forwarded-Method is missing')
    // Advisory 21: `Connection: X-Forwarded-Uri` makes some proxies drop it; nothing permissive stands in for it.
    if (forwardedUri === undefined) return malformed('X-Forwarded-URI is missing')
    if (forwardedUri !== '' && forwardedUri[0] !== '/' && forwardedUri[0] !== '?')
      return malformed('X-Forwarded-URI does not begin with / or ?')
    return parseParts(
      forwardedProto.toLowerCase(),
      forwardedHost,
      forwardedUri,
      `${forwardedProto}://${forwardedHost}${forwardedUri}`,
      forwardedMethod,
      address,
    )
  },
  portals: autheliaUrl,
  usesConfiguredPortal: true,
  unauthenticated: (_fields, method) => redirectStatus(method),
}
