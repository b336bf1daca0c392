import { chmodSync, lstatSync, unlinkSync } from 'node:fs'
import http, { type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { type AddressInfo, connect, type Socket } from 'node:net'
import type { ListenAddress } from './kernel/address.ts'
import { Refusal } from './kernel/refusal.ts'

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
  /** For what the HTTP parser refuses before anybody reads it. */
  readonly refusalHeaders: Readonly<Record<string, string>>
}

/** @throws Refusal when an address can't be had */
export async function listen(address: ListenAddress, options: ListenOptions): Promise<Listening> {
  let draining = false
  const connections = new Set<Socket>()
  const servers: Server[] = []

  const open = async (target: {
    host?: string
    port?: number
    path?: string
    ipv6Only?: boolean
  }) => {
    const server = http.createServer(
      {
        maxHeaderSize: options.maxHeaderBytes,
        headersTimeout: options.timeouts.read,
        requestTimeout: options.timeouts.read,
        keepAliveTimeout: options.timeouts.idle,
        noDelay: true,
      },
      (request, response) => {
        // While draining, each connection ends with the answer it waits for.
        if (draining) response.shouldKeepAlive = false
        options.handler(request, response)
      },
    )
    // Node drops headers past its count in silence: a flood of junk must not push a real one out.
    server.maxHeadersCount = 0
    server.on('connection', (socket: Socket) => {
      connections.add(socket)
      options.connected(socket, address.kind)
      socket.once('close', () => connections.delete(socket))
    })
    server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
      refuse(error, socket as Socket, options.refusalHeaders)
    })
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject)
      server.listen(target, () => {
        server.removeListener('error', reject)
        resolve()
      })
    })
    servers.push(server)
    return server
  }

  const urls: string[] = []
  try {
    for (const target of await targetsOf(address)) {
      try {
        const server = await open(target)
        if (target.path !== undefined) {
          if (address.kind === 'unix') chmodSync(target.path, 0o777 & ~(address.umask ?? 0o117))
          urls.push(`unix:${target.path}`)
        } else urls.push(urlOf(server.address() as AddressInfo))
      } catch (error) {
        // A machine without IPv6 is no fault when both loopbacks were wanted.
        const code = (error as NodeJS.ErrnoException).code ?? ''
        if (target.optional && ['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(code)) continue
        throw explain(error as NodeJS.ErrnoException, target)
      }
    }
  } catch (error) {
    for (const server of servers) server.close()
    throw error
  }

  return {
    urls,
    async drain(grace) {
      draining = true
      const closed = Promise.all(
        servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))),
      )
      for (const server of servers) server.closeIdleConnections()
      let cut = 0
      const deadline = setTimeout(() => {
        cut = connections.size
        for (const server of servers) server.closeAllConnections()
      }, grace)
      await closed
      clearTimeout(deadline)
      return cut
    },
  }
}

interface Target {
  readonly host?: string
  readonly port?: number
  readonly path?: string
  readonly ipv6Only?: boolean
  readonly optional?: boolean
}

async function targetsOf(address: ListenAddress): Promise<readonly Target[]> {
  if (address.kind === 'unix') {
    await removeStaleSocket(address.path)
    return [{ path: address.path }]
  }
  const { host, port, family } = address
  if (host === 'localhost') {
    const v4 = { host: '127.0.0.1', port }
    const v6 = { host: '::1', port }
    if (family !== undefined) return [family === 4 ? v4 : v6]
    return [v4, { ...v6, optional: true }]
  }
  if (host !== '') return [{ host, port }]
  if (family === 4) return [{ host: '0.0.0.0', port }]
  return [{ host: '::', port, ...(family === 6 && { ipv6Only: true }) }]
}

/** A socket that a killed server left behind; one that somebody answers on is left alone and fails as in use. */
async function removeStaleSocket(path: string): Promise<void> {
  const stat = lstatSync(path, { throwIfNoEntry: false })
  if (stat === undefined || !stat.isSocket()) return
  const alive = await new Promise<boolean>((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(true)
    })
    probe.once('error', () => resolve(false))
  })
  if (!alive) unlinkSync(path)
}

function urlOf({ address, port, family }: AddressInfo): string {
  return `http://${family === 'IPv6' ? `[${address}]` : address}:${port}`
}

function explain(error: NodeJS.ErrnoException, target: Target): Error {
  const where = target.path ?? `${target.host}:${target.port}`
  const why =
    {
      EADDRINUSE: 'something else listens there',
      EACCES: 'this user may not open it',
      EADDRNOTAVAIL: 'this machine has no such address',
      ENOENT: 'the folder of the socket does not exist',
    }[error.code ?? ''] ?? error.message
  return new Refusal(`cannot listen on ${where}: ${why}`, 'server.address says where to listen', {
    cause: error,
  })
}

const REFUSALS: Readonly<Record<string, string>> = {
  HPE_HEADER_OVERFLOW: '431 Request Header Fields Too Large',
  ERR_HTTP_REQUEST_TIMEOUT: '408 Request Timeout',
}

function refuse(
  error: NodeJS.ErrnoException,
  socket: Socket,
  headers: Readonly<Record<string, string>>,
): void {
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const status = REFUSALS[error.code ?? ''] ?? '400 Bad Request'
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.end(
    `HTTP/1.1 ${status}\r\n${lines.join('')}Content-Type: text/plain; charset=utf-8\r\nContent-Length: ${status.length}\r\nConnection: close\r\n\r\n${status}`,
  )
}
