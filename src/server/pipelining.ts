import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'

/**
 * Requests that wait on one connection for the answer before them. Proxies send one at a time; who sends more than these
 * ahead reads none of the answers, which would all wait in our memory.
 */
const MAX_WAITING = 64

/** The requests of each connection, one at a time (HTTP/1.1 allows to send ahead, RFC 9112 §9.3.2). */
export interface Pipelining {
  /** Does the work at once, or when the answers before it have left. Cuts a connection on which too many wait. */
  take(request: IncomingMessage, response: ServerResponse, work: () => void): void
  /**
   * What came last on a connection is no request, or one that breaks off: does the work, which answers that and ends the
   * connection, when the answers to what came before have left.
   */
  last(socket: Socket, work: () => void): void
}

interface Line {
  /** The latest whose answer is under way, or was the last to leave. */
  current: ServerResponse
  /** The latest of all. */
  latest: IncomingMessage
  readonly waiting: { readonly response: ServerResponse | undefined; readonly work: () => void }[]
}

export function createPipelining(): Pipelining {
  const lines = new WeakMap<Socket, Line>()

  const next = (line: Line, socket: Socket): void => {
    const first = line.waiting.shift()
    if (first === undefined) return
    // The client is gone: nothing is read any more.
    if (socket.destroyed) {
      line.waiting.length = 0
      return
    }
    if (first.response !== undefined) {
      line.current = first.response
      if (line.waiting.length > 0) follow(line, socket)
    }
    first.work()
  }
  const follow = (line: Line, socket: Socket): void => {
    line.current.once('close', () => next(line, socket))
  }
  const isFree = ({ current, waiting }: Line): boolean =>
    waiting.length === 0 && (current.writableFinished || current.destroyed)
  const wait = (line: Line, socket: Socket, one: Line['waiting'][number]): void => {
    if (line.waiting.push(one) === 1) follow(line, socket)
    if (line.waiting.length <= MAX_WAITING) return
    line.waiting.length = 0
    socket.destroy()
  }

  return {
    take(request, response, work) {
      const { socket } = request
      // What stood behind it in the same packet still comes.
      if (socket.destroyed) return
      const line = lines.get(socket)
      if (line === undefined) {
        lines.set(socket, { current: response, latest: request, waiting: [] })
        work()
        return
      }
      line.latest = request
      if (isFree(line)) {
        line.current = response
        work()
      } else wait(line, socket, { response, work })
    },
    last(socket, work) {
      const line = lines.get(socket)
      if (line === undefined || isFree(line)) {
        work()
        return
      }
      // Its own body is what is wrong: nothing else will answer it.
      if (!line.latest.complete && line.waiting.pop() === undefined) {
        if (line.current.headersSent) socket.destroy()
        else work()
      } else wait(line, socket, { response: undefined, work })
    },
  }
}
