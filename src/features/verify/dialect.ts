import type { Fields } from './fields.ts'
import type { Asked, Malformed } from './target.ts'

/**
 * One proxy's way of asking, and the way it wants to be answered. A dialect is pure: it reads fields and names a
 * status; index.ts walks the one path and writes the reply.
 */
export interface Dialect {
  readonly name: string
  /** Where it is mounted. */
  readonly path: string
  /**
   * What is asked about.
   * @param address the client's, canonical
   */
  read(fields: Fields, address: string): Asked | Malformed
  /** The status for "sign in first", when the caller is a browser navigation. Others get 401. */
  unauthenticated(fields: Fields, method: string): 302 | 303 | 401
}

/** 302 keeps the method of a repeatable request; 303 turns a POST into a GET of the portal. */
export function redirectStatus(method: string): 302 | 303 {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS' ? 302 : 303
}
