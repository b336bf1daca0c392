import type { Socket } from 'node:net'
import type { Logger } from 'pino'

/** So many verify requests of one proxy are looked at together. */
const WINDOW = 1000
/** Slower than this, a proxy may well have closed its idle connections in between. Milliseconds a window. */
const BRISK = 100_000
/** From here on nearly every request has come over a connection of its own. */
const NEARLY_ALL = 0.9
const MAX_PROXIES = 100

interface Use {
  requests: number
  /** How many of them were the first on their connection. */
  first: number
  since: number
  warned: boolean
}

/**
 * Notices a proxy that opens a connection for each verify request, which halves what can be asked in a second, and says so
 * once (docs/guides/speed.md).
 */
export interface ConnectionUse {
  /** A trusted proxy asked. On the verify path. */
  note(socket: Socket, proxy: string): void
}

/** @param monotonic milliseconds */
export function createConnectionUse(
  log: Pick<Logger, 'warn'>,
  monotonic: () => number = () => performance.now(),
): ConnectionUse {
  const seen = new WeakSet<Socket>()
  const uses = new Map<string, Use>()

  const judge = (proxy: string, use: Use): void => {
    const now = monotonic()
    const isBrisk = now - use.since < BRISK
    if (isBrisk && use.first > WINDOW * NEARLY_ALL) {
      use.warned = true
      log.warn(
        { peer: proxy },
        'a proxy opens a new connection for nearly every verify request; let it keep connections alive, as the snippets do where a proxy can (docs/guides/speed.md)',
      )
    }
    use.requests = 0
    use.first = 0
    use.since = now
  }

  return {
    note(socket, proxy) {
      let use = uses.get(proxy)
      if (use === undefined) {
        if (uses.size >= MAX_PROXIES) return
        use = { requests: 0, first: 0, since: monotonic(), warned: false }
        uses.set(proxy, use)
      }
      if (use.warned) return
      if (!seen.has(socket)) {
        seen.add(socket)
        use.first++
      }
      if (++use.requests >= WINDOW) judge(proxy, use)
    },
  }
}
