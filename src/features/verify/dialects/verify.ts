import { type Asked, type Malformed, malformed } from '../../access/index.ts'
import { autheliaUrl, type Dialect, redirectStatus } from '../dialect.ts'
import { FIELD, type Fields, isPresent, sameAuthority } from '../fields.ts'
import { authRequest } from './auth-request.ts'
import { forwardAuth } from './forward-auth.ts'

/**
 * `/verify`, ours: asks the nginx way when X-Original-URL is there, else the forward-auth way. Proxies that pass client
 * headers on could carry both; then both must say the same, or a client could choose the one we believe.
 */
export const verify: Dialect = {
  name: 'verify',
  takesTail: false,
  malformed: 400,
  read(fields, address, line) {
    if (fields.repeated & FIELD.originalUrl) return malformed('X-Original-URL came more than once')
    if (!isPresent(fields.originalUrl)) return forwardAuth.read(fields, address, line)
    const asked = authRequest.read(fields, address, line)
    return 'malformed' in asked ? asked : (contradiction(fields, asked) ?? asked)
  },
  portals: autheliaUrl,
  usesConfiguredPortal: true,
  unauthenticated: (fields, method) =>
    isPresent(fields.originalUrl) ? 401 : redirectStatus(method),
}

function contradiction(fields: Fields, { target, url }: Asked): Malformed | undefined {
  const { forwardedHost, forwardedUri, forwardedMethod } = fields
  if (fields.repeated & (FIELD.forwardedHost | FIELD.forwardedUri | FIELD.forwardedMethod))
    return malformed('an X-Forwarded header came more than once')
  if (isPresent(forwardedMethod) && forwardedMethod !== target.method)
    return malformed('X-Original-Method and X-Forwarded-Method differ')
  // Only then the URL is taken apart: nearly every proxy sends one of the two ways.
  if (!isPresent(forwardedHost) && !isPresent(forwardedUri)) return undefined
  const rest = /^[^:]+:\/\/([^/?#]*)(.*)$/s.exec(url)
  if (isPresent(forwardedHost) && !sameAuthority(forwardedHost, rest?.[1] ?? '', target.scheme))
    return malformed('X-Original-URL and X-Forwarded-Host differ')
  if (isPresent(forwardedUri) && forwardedUri !== rest?.[2])
    return malformed('X-Original-URL and X-Forwarded-URI differ')
  return undefined
}
