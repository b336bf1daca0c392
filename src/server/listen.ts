import { existsSync } from 'node:fs'
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo, Socket } from 'node:net'
import { dirname } from 'node:path'
import { listenOn, listenOnSocket } from '../files/unix-socket.ts'
import type { ListenAddress } from '../kernel/address.ts'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import { handOver, LeanRequest } from './lean-request.ts'
import { createPipelining } from './pipelining.ts'
import { createProtocolErrors, MAX_HEADERS } from './protocol-errors.ts'

export interface Listening {
  /** What was bound, for people: `http://127.0.0.1:9091`, `unix:/run/vestibule.sock`. */
  readonly urls: readonly string[]
  /**
   * Takes no new connection, lets every request under way finish, and closes what is left after `grace` milliseconds.
   * @returns how many connections had to be cut
   */
  drain(grace: number): Promise<number>
}

export interface ListenOptions {
  readonly handler: (request: IncomingMessage, response: ServerResponse) => void
  /** Told of each connection before its first request is read. */
  readonly connected: (socket: Socket, kind: 'tcp' | 'unix') => void
  readonly maxHeaderBytes: number
  /** Milliseconds. */
  readonly timeouts: { readonly read: number; readonly write: number; readonly idle: number }
  /** Sent with what is refused before the app sees it. */
  readonly errorHeaders: Readonly<Record<string, string>>
  /** A connection could not be accepted (out of memory, say); the next one may be. */
  readonly onError: (error: Error) => void
}

/** How often slow clients are looked for. Node's own 30 s would make half a minute of a timeout of six seconds. */
const CHECK_EVERY = 1_000
/** How often, while draining, connections are looked for that have nothing left to do. */
const SWEEP_EVERY = 50

/** @throws OperatorError when an address can't be had */
export async function listen(address: ListenAddress, options: ListenOptions): Promise<Listening> {
  let draining = false
  const connections = new Set<Socket>()
  const servers: Server[] = []
  // One function for all: a closure and a wrapper for each connection cost more than the rest of this.
  function forget(this: Socket): void {
    connections.delete(this)
  }
  const pipelining = createPipelining()
  const protocolErrors = createProtocolErrors(options.errorHeaders, pipelining)
  const stopWatching = cutUnread(connections, options.timeouts.write)

  const open = async (target: Target) => {
    const server = http.createServer(serverOptions(options), (request, response) => {
      handOver(request)
      pipelining.take(request, response, () => {
        // While draining, each connection ends with the answer it waits for.
        if (draining) response.shouldKeepAlive = false
        const status = protocolErrors.statusOf(request)
        if (status === undefined) options.handler(request, response)
        else protocolErrors.answer(response, status)
      })
    })
    // Node drops headers past its count in silence; a request with one more than we take is refused as a whole.
    server.maxHeadersCount = MAX_HEADERS + 1
    server.on('connection', (socket: Socket) => {
      connections.add(socket)
      options.connected(socket, address.kind)
      socket.on('close', forget)
    })
    // Node's own answer would go without our headers. `100-continue` does not come here.
    server.on('checkExpectation', (request: IncomingMessage, response: ServerResponse) => {
      pipelining.take(request, response, () => protocolErrors.answer(response, 417))
    })
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      protocolErrors.refuse(error, socket as Socket)
    })
    await bind(server, target)
    server.on('error', options.onError)
    servers.push(server)
    return server
  }

  const urls: string[] = []
  try {
    for (const target of targetsOf(address)) {
      try {
        const server = await open(target)
        // What listens on no path has an address and a port.
        urls.push(
          target.path === undefined
            ? urlOf(server.address() as AddressInfo)
            : `unix:${target.path}`,
        )
      } catch (error) {
        // A machine without IPv6 is no fault when both loopbacks were wanted.
        if (target.optional && ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(systemCode(error)))
          continue
        throw explain(error, target)
      }
    }
  } catch (error) {
    stopWatching()
    for (const server of servers) server.close()
    throw error
  }

  return {
    urls,
    async drain(grace) {
      draining = true
      const cut = await closeAll(servers, connections, grace)
      stopWatching()
      return cut
    },
  }
}

const serverOptions = ({ maxHeaderBytes, timeouts }: ListenOptions): http.ServerOptions => ({
  maxHeaderSize: maxHeaderBytes,
  headersTimeout: timeouts.read,
  requestTimeout: timeouts.read,
  keepAliveTimeout: timeouts.idle,
  connectionsCheckingInterval: CHECK_EVERY,
  noDelay: true,
  optimizeEmptyRequests: true,
  IncomingMessage: LeanRequest,
  // Node's own answer would go without our headers.
  requireHostHeader: false,
})

/** Closes each connection once it has nothing left to do, and after `grace` milliseconds all that are left. */
async function closeAll(
  servers: readonly Server[],
  connections: ReadonlySet<Socket>,
  grace: number,
): Promise<number> {
  const closed = Promise.all(
    servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
  )
  for (const server of servers) server.closeIdleConnections()
  // An answer that was under way ends on a connection that was promised to stay; one that was opened in advance, as
  // browsers do, never asks at all.
  const sweeper = setInterval(() => {
    for (const server of servers) server.closeIdleConnections()
    for (const socket of connections) if (socket.bytesRead === 0) socket.destroy()
  }, SWEEP_EVERY)
  let cut = 0
  const deadline = setTimeout(() => {
    cut = connections.size
    for (const server of servers) server.closeAllConnections()
  }, grace)
  await closed
  clearInterval(sweeper)
  clearTimeout(deadline)
  return cut
}

/**
 * Cuts connections whose other end has taken nothing of an answer for `limit` milliseconds: what waits for them lies in
 * our memory.
 * @param limit 0: never
 * @returns how to stop
 */
function cutUnread(connections: ReadonlySet<Socket>, limit: number): () => void {
  const stuck = new WeakMap<Socket, { readonly waiting: number; readonly since: number }>()
  const timer = setInterval(() => {
    const now = performance.now()
    for (const socket of connections) {
      const waiting = socket.writableLength
      const before = stuck.get(socket)
      if (waiting === 0) stuck.delete(socket)
      else if (before?.waiting !== waiting) stuck.set(socket, { waiting, since: now })
      else if (limit > 0 && now - before.since >= limit) socket.destroy()
    }
  }, CHECK_EVERY)
  timer.unref()
  return () => clearInterval(timer)
}

interface Target {
  readonly host?: string
  readonly port?: number
  readonly path?: string
  /** Of a path: what the mode of the socket leaves out. */
  readonly umask?: number
  readonly ipv6Only?: boolean
  readonly optional?: boolean
}

/** Its owner and its group may write, that is connect. */
const SOCKET_UMASK = 0o117

function bind(server: Server, { umask, optional: _, ...target }: Target): Promise<void> {
  const { path } = target
  return path === undefined || umask === undefined
    ? listenOn(server, target)
    : listenOnSocket(server, { path, umask })
}

function targetsOf(address: ListenAddress): readonly Target[] {
  if (address.kind === 'unix') return [{ path: address.path, umask: address.umask ?? SOCKET_UMASK }]
  const { host, port, family } = address
  if (host === 'localhost') {
    const v4 = { host: '127.0.0.1', port }
    const v6 = { host: '::1', port }
    if (family !== undefined) return [family === 4 ? v4 : v6]
    return [v4, { ...v6, optional: true }]
  }
  if (host !== '') return [{ host, port }]
  if (family === 4) return [{ host: '0.0.0.0', port }]
  if (family === 6) return [{ host: '::', port, ipv6Only: true }]
  // Without a host Node takes `::`, which is both, and 0.0.0.0 where there is no IPv6.
  return [{ port }]
}

const urlOf = ({ address, port }: AddressInfo): string => `http://${hostAndPort(address, port)}`

const hostAndPort = (host: string, port: number | undefined): string =>
  `${host.includes(':') ? `[${host}]` : host}:${port}`

function explain(error: unknown, target: Target): OperatorError {
  const where = target.path ?? hostAndPort(target.host ?? '', target.port)
  const why =
    {
      EADDRINUSE: 'something else listens there',
      ENOTSOCK: 'a file is in the way',
      // For a socket in a folder that does not exist, too: libuv makes it of ENOENT.
      EACCES:
        target.path === undefined || existsSync(dirname(target.path))
          ? 'this user may not open it'
          : 'the folder of the socket does not exist',
      EADDRNOTAVAIL: 'this machine has no such address',
      ENAMETOOLONG: 'the path of a socket may have about a hundred bytes',
    }[systemCode(error)] ?? (error instanceof Error ? error.message : 'unknown error')
  return new OperatorError(
    `cannot listen on ${where}: ${why}`,
    'server.address says where to listen',
    {
      cause: error,
    },
  )
}
