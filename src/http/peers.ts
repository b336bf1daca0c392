import type { Socket } from 'node:net'
import type { Logger } from 'pino'
import {
  contains,
  type Network,
  PRIVATE_NETWORKS,
  parseAddress,
  parseNetwork,
} from '../kernel/cidr.ts'
import { memoize } from '../kernel/memo.ts'
import { createConnectionUse } from './connection-use.ts'

/**
 * Who is at the other end of a connection, and whom it speaks for (requirement 6).
 *
 * A proxy is believed only when its own socket address is trusted; then the client is the right-most hop of
 * X-Forwarded-For that is not itself a trusted proxy.
 */
export interface Peers {
  /**
   * Takes note of a new connection while its other end can still be asked for: a socket that was closed meanwhile has
   * no address, and must not pass for a unix socket, which has none either.
   */
  welcome(socket: Socket, kind: 'tcp' | 'unix'): void
  /** Whether this connection comes from a trusted proxy. A unix socket does. */
  trusts(socket: Socket): boolean
  /**
   * The client's address behind a trusted peer.
   * @param forwardedFor every X-Forwarded-For header of the request, in order
   * @returns canonical text (empty behind a unix socket without the header), or undefined when the walk meets an
   *   element that is no address: the caller treats the request as malformed
   */
  clientBehind(socket: Socket, forwardedFor: readonly string[]): string | undefined
  /** The socket's own address, canonical; empty for a unix socket. */
  addressOf(socket: Socket): string
  /** A trusted peer asked verify: noted to say when it opens a connection for each request. */
  asked(socket: Socket): void
  /** Says once per peer, and for a bounded number of peers, which line of configuration would trust it. */
  reportUntrusted(socket: Socket): void
}

interface Peer {
  readonly address: string
  readonly trusted: boolean
}

const UNIX: Peer = { address: '', trusted: true }

/** More hops than this is no chain of proxies: malformed (advisory 24). */
const MAX_HOPS = 100
const MAX_REPORTED = 1000
const TAB = 0x09
const SPACE = 0x20

/**
 * Without the blanks around it, RFC 9110 §5.6.3. Not trim(): to that, 0xA0 is a blank too, and `\xa010.0.0.8` an address.
 * Not a pattern: to look for blanks at the end, it would begin anew at each of those in the middle.
 */
function withoutBlanks(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

const isBlank = (code: number): boolean => code === SPACE || code === TAB

export function createPeers({
  trustedProxies,
  log,
}: {
  /** Addresses, CIDRs, or `private`. */
  readonly trustedProxies: readonly string[]
  readonly log: Logger
}): Peers {
  const hop = createHop(trustedProxies)
  const walk = createWalk(hop)
  const report = createUntrustedReport(trustedProxies, log)
  const use = createConnectionUse(log)
  const peers = new WeakMap<Socket, Peer>()

  const peerOf = (socket: Socket): Peer => {
    const known = peers.get(socket)
    if (known !== undefined) return known
    const peer = hop(socket.remoteAddress ?? '')
    peers.set(socket, peer)
    return peer
  }

  return {
    welcome(socket, kind) {
      // A unix socket has no address: the file system decides who may open it.
      if (kind === 'unix') peers.set(socket, UNIX)
      const { trusted, address } = peerOf(socket)
      if (trusted) use.opened(address)
    },
    asked(socket) {
      use.asked(peerOf(socket).address)
    },
    trusts: (socket) => peerOf(socket).trusted,
    addressOf: (socket) => peerOf(socket).address,
    clientBehind(socket, forwardedFor) {
      const [first] = forwardedFor
      if (first === undefined) return peerOf(socket).address
      const text = forwardedFor.length === 1 ? first : forwardedFor.join(',')
      // A blank header is an absent one.
      if (!/[^ \t]/.test(text)) return peerOf(socket).address
      const address = walk(text)
      return address === false ? undefined : address
    },
    reportUntrusted: (socket) => report(peerOf(socket).address),
  }
}

type ReadHop = (text: string) => Peer

/** Canonical text and trust of one hop; an empty address is no address. */
function createHop(trustedProxies: readonly string[]): ReadHop {
  const networks = trustedProxies
    .flatMap((entry) => (entry === 'private' ? PRIVATE_NETWORKS : [entry]))
    .map((entry) => parseNetwork(entry))
    .filter((network): network is Network => network !== undefined)
  return memoize((text: string): Peer => {
    const address = parseAddress(text)
    if (address === undefined) return { address: '', trusted: false }
    return {
      address: address.text,
      trusted: networks.some((network) => contains(network, address)),
    }
  })
}

/** The walk over one header text, right to left; false when it meets what is no address. */
function createWalk(hop: ReadHop): (text: string) => string | false {
  return memoize((text: string): string | false => {
    const hops = text.split(',', MAX_HOPS + 1)
    if (hops.length > MAX_HOPS) return false
    let address = ''
    for (let i = hops.length - 1; i >= 0; i--) {
      const current = hop(withoutBlanks(hops[i] ?? ''))
      if (current.address === '') return false
      address = current.address
      if (!current.trusted) break
    }
    return address
  })
}

function createUntrustedReport(
  trustedProxies: readonly string[],
  log: Logger,
): (address: string) => void {
  const reported = new Set<string>()
  return (address) => {
    // Gone before it could be asked who it was: what has no address is not trusted.
    if (address === '') return
    if (reported.has(address) || reported.size >= MAX_REPORTED) return
    reported.add(address)
    const wanted = [...trustedProxies, address].map((entry) => JSON.stringify(entry)).join(', ')
    log.warn(
      { peer: address },
      `refused a verify request from ${address}, which is not a trusted proxy; if it is yours, set trusted_proxies: [${wanted}]`,
    )
  }
}
