import { createServer, type Socket } from 'node:net'
import { listenOnSocket } from '../files/unix-socket.ts'
import { AppError } from '../kernel/errors.ts'
import { OperatorError, systemCode } from '../kernel/operator-error.ts'
import type { Logger } from '../log/index.ts'
import { type Answer, addressOf, MAX_REQUEST, requestSchema } from './protocol.ts'

/**
 * What a running server does when it is asked to. Checks its arguments itself.
 * @returns something JSON can carry, without secrets
 * @throws OperatorError or AppError: the caller reads the sentence. Anything else is a bug: logged, and the caller reads so.
 */
export type Command = (args: unknown) => unknown

export interface ControlServer {
  /** Stops listening, removes the socket, lets commands that run finish. */
  close(): Promise<void>
}

/** A command line sends its one request at once; whoever is slower is no command line. */
const REQUEST_TIMEOUT = 10_000
const MAX_CONNECTIONS = 16
/** As a umask: 0600. */
const OWNER_ONLY = 0o177
/** How long `close` waits for commands that run. */
const CLOSE_TIMEOUT = 3_000

/**
 * Listens on a unix socket (0600). One left behind by a server that was killed is replaced.
 * @param commands by name
 * @throws OperatorError when another server answers on it, or when it cannot be made
 */
export async function openControlServer(options: {
  readonly path: string
  readonly commands: Readonly<Record<string, Command>>
  readonly log: Pick<Logger, 'error' | 'debug'>
}): Promise<ControlServer> {
  const { path, log } = options
  const commands = new Map(Object.entries(options.commands))
  /** Open connections, and whether the request has been read. */
  const connections = new Map<Socket, { asked: boolean }>()
  const { address, release } = addressOf(path)
  const server = createServer((socket) => {
    const state = { asked: false }
    connections.set(socket, state)
    socket.on('close', () => connections.delete(socket))
    serveConnection(socket, state, (line) => answer(commands, line, log))
  })
  server.maxConnections = MAX_CONNECTIONS
  try {
    await listenOnSocket(server, { path, address, umask: OWNER_ONLY })
  } catch (error) {
    server.close()
    release()
    throw explain(error, path)
  }
  // Out of descriptors, say: the next connection may work again.
  server.on('error', (error) => log.error({ err: error }, 'The control socket failed'))
  return {
    async close() {
      const { promise, resolve } = Promise.withResolvers<void>()
      server.close(() => resolve())
      // Those that have asked get their answer; those that have not would keep us here.
      for (const [socket, { asked }] of connections) if (!asked) socket.destroy()
      const timer = setTimeout(() => {
        for (const socket of connections.keys()) socket.destroy()
      }, CLOSE_TIMEOUT)
      await promise
      clearTimeout(timer)
      release()
    },
  }
}

function explain(error: unknown, path: string): OperatorError {
  const code = systemCode(error)
  if (code === 'ENOTSOCK')
    return new OperatorError(
      `${path} is in the way of the control socket and is no socket`,
      'move it away',
    )
  if (code === 'EADDRINUSE')
    return new OperatorError(`another server is running: it answers on ${path}`)
  return new OperatorError(`the control socket ${path} cannot be made (${code})`, undefined, {
    cause: error,
  })
}

function serveConnection(
  socket: Socket,
  state: { asked: boolean },
  reply: (line: string) => Promise<Answer>,
): void {
  let received = ''
  socket.setEncoding('utf8')
  socket.setTimeout(REQUEST_TIMEOUT, () => socket.destroy())
  // A caller that went away needs no answer.
  socket.on('error', () => socket.destroy())
  socket.on('end', () => socket.destroy())
  socket.on('data', (chunk: string) => {
    if (state.asked) return
    received += chunk
    const end = received.indexOf('\n')
    if (end === -1 && received.length <= MAX_REQUEST) return
    state.asked = true
    socket.setTimeout(0)
    const line = end === -1 ? received : received.slice(0, end)
    void reply(line).then((answered) => {
      if (socket.destroyed) return
      socket.setTimeout(REQUEST_TIMEOUT)
      socket.end(`${JSON.stringify(answered)}\n`)
    })
  })
}

async function answer(
  commands: ReadonlyMap<string, Command>,
  line: string,
  log: Pick<Logger, 'error' | 'debug'>,
): Promise<Answer> {
  const request = readRequest(line)
  if (request === undefined) return failure('the request is not one line of JSON with a command')
  const command = commands.get(request.command)
  if (command === undefined) {
    return failure(
      `the running server does not know the command ${JSON.stringify(request.command)}`,
      'it may be of another version than this command line: restart it',
    )
  }
  log.debug({ command: request.command }, 'Command received on the control socket')
  try {
    return { ok: true, data: (await command(request.args)) ?? null }
  } catch (error) {
    if (error instanceof OperatorError) return failure(error.message, error.hint)
    if (error instanceof AppError) return failure(error.message)
    log.error({ err: error, command: request.command }, 'A command on the control socket failed')
    return failure('the server could not do this; its log says why')
  }
}

function readRequest(line: string) {
  if (line.length > MAX_REQUEST) return undefined
  try {
    return requestSchema.parse(JSON.parse(line))
  } catch {
    return undefined
  }
}

function failure(message: string, hint?: string): Answer {
  return { ok: false, error: hint === undefined ? { message } : { message, hint } }
}
