import type { Fields } from '../fields.ts'
import { type Basic, parseBasic, schemeOf } from './basic.ts'

/** Where an endpoint looks for credentials. Authelia's names. */
export const STRATEGIES = [
  'CookieSession',
  'HeaderAuthorization',
  'HeaderProxyAuthorization',
  'HeaderAuthRequestProxyAuthorization',
  'HeaderLegacy',
] as const
export type StrategyName = (typeof STRATEGIES)[number]

/** How an endpoint that stopped at a header strategy asks for a credential. */
export interface Challenge {
  readonly status: 401 | 407
  readonly header: 'WWW-Authenticate' | 'Proxy-Authenticate'
}

/** What a header strategy found. */
export type Found =
  /** No header, or a scheme that is not ours to judge: the next strategy is asked. */
  | { readonly kind: 'nothing' }
  | { readonly kind: 'basic'; readonly credentials: Basic }
  /** A header of ours that cannot be read, or that had to be there. */
  | { readonly kind: 'broken' }

/** A strategy that reads a header. CookieSession is none of these: it is asked through sessions. */
export interface HeaderStrategy {
  readonly name: StrategyName
  readonly challenge: Challenge
  find(fields: Fields, query: URLSearchParams): Found
}

export interface Strategy {
  readonly name: StrategyName
  readonly schemes: readonly ('basic' | 'bearer')[]
  /** How long a successful Basic credential is remembered, in milliseconds; 0: not at all. */
  readonly cacheLifespan: number
}

const REALM: Readonly<Record<'www' | 'proxy', Challenge>> = {
  www: { status: 401, header: 'WWW-Authenticate' },
  proxy: { status: 407, header: 'Proxy-Authenticate' },
}

/** The value of a challenge, the same on every strategy. RFC 7617. */
export const BASIC_CHALLENGE = 'Basic realm="Authorization Required"'

/** @returns undefined for CookieSession */
export function headerStrategy({ name, schemes }: Strategy): HeaderStrategy | undefined {
  const read = (value: string | undefined): Found => {
    if (value === undefined || value === '') return NOTHING
    // An unknown scheme, or one that is not enabled, belongs to the app behind.
    if (schemeOf(value) !== 'basic' || !schemes.includes('basic')) return NOTHING
    const credentials = parseBasic(value)
    return credentials === undefined ? BROKEN : { kind: 'basic', credentials }
  }
  switch (name) {
    case 'CookieSession':
      return undefined
    case 'HeaderAuthorization':
      return { name, challenge: REALM.www, find: ({ authorization }) => read(authorization) }
    case 'HeaderProxyAuthorization':
      return { name, challenge: REALM.proxy, find: (fields) => read(fields.proxyAuthorization) }
    // nginx relays a 401 and makes 500 of a 407.
    case 'HeaderAuthRequestProxyAuthorization':
      return { name, challenge: REALM.www, find: (fields) => read(fields.proxyAuthorization) }
    case 'HeaderLegacy':
      return {
        name,
        challenge: REALM.www,
        find(fields, query) {
          if (query.get('auth') !== 'basic') return read(fields.proxyAuthorization)
          // auth=basic in the proxy's configuration asks for a challenge, not a redirect.
          const found = read(fields.authorization)
          return found.kind === 'nothing' ? BROKEN : found
        },
      }
    default:
      return name satisfies never
  }
}

const NOTHING: Found = { kind: 'nothing' }
const BROKEN: Found = { kind: 'broken' }
