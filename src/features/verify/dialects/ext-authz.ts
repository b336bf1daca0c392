import { malformed, parseParts } from '../../access/index.ts'
import { type Dialect, redirectStatus } from '../dialect.ts'
import { FIELD, isPresent, portalHeaders } from '../fields.ts'

/**
 * Envoy's ext_authz over HTTP: the request itself comes, its path behind the endpoint's. Authelia drops the query; we
 * keep it, since a rule may be about it.
 */
export const extAuthz: Dialect = {
  name: 'ext-authz',
  takesTail: true,
  malformed: 400,
  read(fields, address, { method, tail }) {
    const { forwardedProto, host } = fields
    if (fields.repeated & (FIELD.forwardedProto | FIELD.host))
      return malformed('X-Forwarded-Proto or Host came more than once')
    if (!isPresent(forwardedProto)) return malformed('X-Forwarded-Proto is missing')
    if (!isPresent(host)) return malformed('Host is missing')
    // A path_prefix that ends in a slash leaves one too many before the path.
    const rest = tail.startsWith('//') ? tail.slice(1) : tail
    return parseParts(
      forwardedProto.toLowerCase(),
      host,
      rest,
      `${forwardedProto}://${host}${rest}`,
      method,
      address,
    )
  },
  // The query is the target's own: the client behind the proxy writes it.
  portals: portalHeaders,
  usesConfiguredPortal: true,
  unauthenticated: (_fields, method) => redirectStatus(method),
}
