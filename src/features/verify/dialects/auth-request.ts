import { malformed, parseTarget } from '../../access/index.ts'
import { autheliaUrl, type Dialect } from '../dialect.ts'
import { FIELD, isPresent } from '../fields.ts'

/** nginx's auth_request: the whole URL in one header; it understands 2xx, 401 and 403 and nothing else. */
export const authRequest: Dialect = {
  name: 'auth-request',
  takesTail: false,
  malformed: 400,
  read(fields, address) {
    const { originalUrl, originalMethod } = fields
    if (fields.repeated & (FIELD.originalUrl | FIELD.originalMethod))
      return malformed('X-Original-URL or X-Original-Method came more than once')
    if (!isPresent(originalUrl)) return malformed('X-Original-URL is missing')
    if (!isPresent(originalMethod)) return malformed('X-Original-Method is missing')
    return parseTarget(originalUrl, originalMethod, address)
  },
  portals: autheliaUrl,
  usesConfiguredPortal: true,
  unauthenticated: () => 401,
}
