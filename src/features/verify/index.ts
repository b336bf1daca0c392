/**
 * Forward-auth: a proxy asks "may this request pass?".
 *
 * Owns the verify endpoints and nothing else: the user comes from sessions and users, what the user may do from access. One
 * straight walk, dialect.read → sessions.identify → access.decide → answer; no catch on it leads to a 2xx.
 *
 *   /verify                    ours: X-Original-URL when it is there, else X-Forwarded-*
 *   /api/authz/auth-request    nginx
 *   /api/authz/forward-auth    Traefik, Caddy, HAProxy, Skipper
 *   /api/authz/ext-authz/…     Envoy
 *   /api/verify                Authelia's old one
 *   or what `server.endpoints.authz` mounts in place of the last four
 *
 * The walk runs in an onRequest hook on the raw response: a body is never read or waited for, and Fastify's reply
 * machinery, which costs more than the decision, is left out (docs/decisions/003-verify-on-the-raw-response.md). A plain
 * yes is answered before Fastify (entrance.ts).
 */

export { isVerifyPath } from './endpoints.ts'
export { createEntrance, type Entrance } from './entrance.ts'
export { createIdentity, type IdentityHeaders, type Presented } from './identity.ts'
export type { VerifyOptions } from './options.ts'
export { forbiddenContent } from './pages.ts'
export { FORBIDDEN_HEADER, SIGN_IN_HEADER } from './refusals.ts'
export {
  createRefusedRequests,
  type NotedRequest,
  type RefusedRequests,
} from './refused-requests.ts'
export { verify } from './routes.ts'
