import type { Logger } from 'pino'

/** So many verify requests of one proxy are looked at together. */
const WINDOW = 1000
/** Slower than this, a proxy may well have closed its idle connections in between. Milliseconds a window. */
const BRISK = 100_000
/** Connections to requests; from here on nearly every request has one of its own. */
const NEARLY_ALL = 0.9
const MAX_PROXIES = 100

interface Use {
  requests: number
  connections: number
  since: number
  warned: boolean
}

/**
 * Notices a proxy that opens a connection for each verify request, which halves what can be asked in a second, and says so
 * once (docs/guides/speed.md).
 */
export interface ConnectionUse {
  /** A trusted proxy opened a connection. */
  opened(proxy: string): void
  /** It asked. On the verify path. */
  asked(proxy: string): void
}

/** @param monotonic milliseconds */
export function createConnectionUse(
  log: Pick<Logger, 'warn'>,
  monotonic: () => number = () => performance.now(),
): ConnectionUse {
  const uses = new Map<string, Use>()

  const judge = (proxy: string, use: Use): void => {
    const now = monotonic()
    const isBrisk = now - use.since < BRISK
    if (isBrisk && use.connections > WINDOW * NEARLY_ALL) {
      use.warned = true
      log.warn(
        { peer: proxy },
        'a proxy opens a new connection for nearly every verify request; let it keep connections alive, as the snippets do where a proxy can (docs/guides/speed.md)',
      )
    }
    use.requests = 0
    use.connections = 0
    use.since = now
  }

  const useOf = (proxy: string): Use | undefined => {
    const known = uses.get(proxy)
    if (known !== undefined || uses.size >= MAX_PROXIES) return known
    const use = { requests: 0, connections: 0, since: monotonic(), warned: false }
    uses.set(proxy, use)
    return use
  }

  return {
    opened(proxy) {
      const use = useOf(proxy)
      if (use !== undefined) use.connections++
    },
    asked(proxy) {
      const use = useOf(proxy)
      if (use === undefined || use.warned) return
      if (++use.requests >= WINDOW) judge(proxy, use)
    },
  }
}
