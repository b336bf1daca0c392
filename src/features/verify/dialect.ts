import type { Asked, Malformed } from '../access/index.ts'
import type { Fields } from './fields.ts'

/** The start line of a verify request, as far as some dialects read it. */
export interface RequestLine {
  readonly method: string
  /** Path and query behind the endpoint's own path, as sent: empty, or begins with `/` or `?`. */
  readonly tail: string
  /** The whole request target as sent. */
  readonly target: string
}

/**
 * One proxy's way of asking, and the way it wants to be answered. A dialect is pure: it reads fields and names a
 * status; walk.ts goes the one path and answer.ts writes the reply.
 */
export interface Dialect {
  /** Authelia's name of the implementation, in our spelling. */
  readonly name: string
  /** What follows the endpoint's path belongs to the target. */
  readonly takesTail: boolean
  /** The status of a request that cannot be judged. */
  readonly malformed: 400 | 401
  /**
   * What is asked about.
   * @param address the client's, canonical
   */
  read(fields: Fields, address: string, line: RequestLine): Asked | Malformed
  /** Where the proxy's own configuration says the portal is; more than one is malformed. */
  portals(fields: Fields, query: URLSearchParams): readonly string[]
  /** Without such an override, the cookie domain's portal is meant. Where it is not, there is no redirect. */
  readonly usesConfiguredPortal: boolean
  /** The status for "sign in first", when the caller is a browser navigation. Others get 401. */
  unauthenticated(fields: Fields, method: string): 302 | 303 | 401
  /** Something that the operator should know about this request; said once per peer. */
  readonly warning?: (fields: Fields, asked: Asked) => string | undefined
}

/** 302 keeps the method of a repeatable request; 303 turns a POST into a GET of the portal. */
export function redirectStatus(method: string): 302 | 303 {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? 302 : 303
}

export const autheliaUrl = (_fields: Fields, query: URLSearchParams): readonly string[] =>
  query.getAll('authelia_url')
