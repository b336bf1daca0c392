import type { Dialect } from './dialect.ts'
import { implementations, ownDialect } from './dialects/index.ts'
import type { Strategy, StrategyName } from './strategies/index.ts'

/** Where a dialect is mounted, and where it looks for credentials. */
export interface Endpoint {
  readonly name: string
  readonly path: string
  readonly dialect: Dialect
  /** In the order in which they are asked; at least one. */
  readonly strategies: readonly Strategy[]
}

/** `server.endpoints.authz`, as the manifest parses it. */
export type EndpointsConfig = Readonly<
  Record<
    string,
    {
      /** `legacy` may do without: its name says it. The manifest refuses any other that does. */
      readonly implementation?: keyof typeof implementations | undefined
      readonly authn_strategies?:
        | readonly {
            readonly name: StrategyName
            readonly schemes: readonly ('basic' | 'bearer')[]
            readonly scheme_basic_cache_lifespan?: number | undefined
          }[]
        | undefined
    }
  >
>

const strategy = (name: StrategyName): Strategy => ({ name, schemes: ['basic'], cacheLifespan: 0 })
const USUAL: readonly Strategy[] = [strategy('HeaderAuthorization'), strategy('CookieSession')]
const USUAL_LEGACY: readonly Strategy[] = [strategy('HeaderLegacy'), strategy('CookieSession')]

const DEFAULTS: EndpointsConfig = {
  'forward-auth': { implementation: 'ForwardAuth' },
  'auth-request': { implementation: 'AuthRequest' },
  'ext-authz': { implementation: 'ExtAuthz' },
  legacy: { implementation: 'Legacy' },
}

/** Where proxies ask, whether or not an endpoint is mounted there: a page would be a yes to some of them. */
export const isVerifyPath = (path: string): boolean =>
  /^\/(verify$|api\/verify(\/|$)|api\/authz\/)/.test(path)

/**
 * @param config undefined or empty: Authelia's four. `/verify` is ours and is always there: it opens nothing that a
 *   trusted proxy could not ask about otherwise.
 */
export function endpointsOf(config: EndpointsConfig | undefined): readonly Endpoint[] {
  const chosen = config === undefined || Object.keys(config).length === 0 ? DEFAULTS : config
  return [
    { name: 'verify', path: '/verify', dialect: ownDialect, strategies: USUAL },
    ...Object.entries(chosen).map(([name, { implementation = 'Legacy', authn_strategies }]) => ({
      name,
      // Authelia's old address of the one that was there first.
      path: name === 'legacy' ? '/api/verify' : `/api/authz/${name}`,
      dialect: implementations[implementation],
      strategies:
        authn_strategies === undefined || authn_strategies.length === 0
          ? implementation === 'Legacy'
            ? USUAL_LEGACY
            : USUAL
          : authn_strategies.map((one) => ({
              name: one.name,
              schemes: one.schemes,
              cacheLifespan: one.scheme_basic_cache_lifespan ?? 0,
            })),
    })),
  ]
}
