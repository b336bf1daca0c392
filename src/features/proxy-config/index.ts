/**
 * What each reverse proxy needs to ask Vestibule, printed from the configuration that is in force.
 *
 * Pure: text in, text out. It owns no route and knows no proxy's state.
 */
import { nginx } from './proxies/nginx.ts'

export interface ProxySetup {
  /** `host:port` or `unix:/path` at which the proxy reaches Vestibule. */
  readonly verifyUpstream: string
  /** What the proxy itself listens on. */
  readonly listen: string
  readonly serverName: string
  /** `host:port` of the app behind. */
  readonly appUpstream: string
  /** The portal's host, when people reach the portal through this proxy too. */
  readonly portalServerName?: string
  readonly cookieName: string
  readonly identityHeaders: {
    readonly user: string
    readonly groups: string
    readonly name: string
    readonly email: string
  }
}

/** Every proxy that a snippet can be printed for. */
export const proxies = { nginx } as const satisfies Record<string, (setup: ProxySetup) => string>
