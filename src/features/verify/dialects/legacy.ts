import {
  type Asked,
  isUnjudgeable,
  type Malformed,
  malformed,
  parseParts,
  parseTarget,
  UNJUDGEABLE,
} from '../../access/index.ts'
import { type Dialect, redirectStatus } from '../dialect.ts'
import { FIELD, type Fields, isPresent, portalHeaders } from '../fields.ts'

/**
 * Authelia's old single endpoint: X-Original-URL, else the forwarded headers, else the request itself. It cannot know
 * which portal is meant unless the proxy's configuration says so, and answers 401 to everything it cannot judge.
 */
export const legacy: Dialect = {
  name: 'legacy',
  takesTail: true,
  malformed: 401,
  read(fields, address, line) {
    if (
      fields.repeated &
      (FIELD.originalUrl |
        FIELD.forwardedProto |
        FIELD.forwardedHost |
        FIELD.forwardedUri |
        FIELD.forwardedMethod |
        FIELD.host)
    )
      return malformed('a header that is read came more than once')
    // A proxy that passes the request itself on asks about this one, whatever a header says.
    if (isUnjudgeable(line.method)) return UNJUDGEABLE
    const method = isPresent(fields.forwardedMethod) ? fields.forwardedMethod : line.method
    return isPresent(fields.originalUrl)
      ? parseTarget(fields.originalUrl, method, address)
      : fromParts(fields, address, method, line.target)
  },
  portals(fields, query) {
    const named = query.getAll('rd')
    return named.length > 0 ? named : portalHeaders(fields)
  },
  usesConfiguredPortal: false,
  unauthenticated: (_fields, method) => redirectStatus(method),
  warning(fields, asked) {
    if (!isPresent(fields.originalUrl) || !isPresent(fields.forwardedHost)) return undefined
    const other = fromParts(fields, asked.target.address, asked.target.method, asked.url)
    const same =
      'target' in other &&
      other.target.host === asked.target.host &&
      (!isPresent(fields.forwardedUri) || other.target.path === asked.target.path)
    return same
      ? undefined
      : 'X-Original-URL and X-Forwarded-* name different targets; the first counts. Let the proxy send one of the two'
  },
}

function fromParts(
  { forwardedProto, forwardedHost, forwardedUri, host }: Fields,
  address: string,
  method: string,
  target: string,
): Asked | Malformed {
  const scheme = isPresent(forwardedProto) ? forwardedProto : 'http'
  const authority = isPresent(forwardedHost) ? forwardedHost : host
  if (!isPresent(authority)) return malformed('no header names the host')
  // Advisory 21: a proxy that was made to drop X-Forwarded-Uri would have us judge our own address.
  if (isPresent(forwardedHost) && forwardedUri === undefined)
    return malformed('X-Forwarded-Host is there, X-Forwarded-URI is missing')
  const rest = forwardedUri ?? target
  if (rest !== '' && rest[0] !== '/' && rest[0] !== '?')
    return malformed('the path does not begin with / or ?')
  return parseParts(
    scheme.toLowerCase(),
    authority,
    rest,
    `${scheme}://${authority}${rest}`,
    method,
    address,
  )
}
