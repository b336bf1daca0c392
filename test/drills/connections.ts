/**
 * Raw connections to the server: a few that stay open and carry many requests, a few at a time, and one of its own for
 * whatever may end or confuse a connection.
 */
import { connect, type Socket } from 'node:net'
import { type Answer, readAnswer } from './http.ts'

/** What came of a connection of its own. */
export interface Outcome {
  readonly answers: readonly Answer[]
  /** All that came, one character a byte. */
  readonly text: string
  /** The server did not close it in time. */
  readonly hung: boolean
  /** What came cannot be read as answers. */
  readonly garbled: string | undefined
}

export interface ProbeOptions {
  readonly port: number
  /** The address it comes from. */
  readonly peer: string
  readonly bytes: string
  /** Whether the nth request is a HEAD: its answer has no body. */
  readonly toHead: (n: number) => boolean
  /** How many answers are due; after so many (or when nothing more comes) our side is closed. */
  readonly due: number
}

/** Milliseconds within which an answer has to come, on a machine that has other things to do. */
export const DEADLINE = 15_000
/** How long an answer may be missing before our side is closed, which ends whatever the server waits for. */
const QUIET = 2000

/** Sends bytes over a connection of their own and gives back all that comes until the server closes it. */
export function probe({ port, peer, bytes, toHead, due }: ProbeOptions): Promise<Outcome> {
  return new Promise((resolve) => {
    // Binding costs a millisecond: only who comes from elsewhere does.
    const from = peer === '127.0.0.1' ? {} : { localAddress: peer }
    const socket = connect({ port, host: '127.0.0.1', noDelay: true, ...from })
    const answers: Answer[] = []
    let text = ''
    let at = 0
    let garbled: string | undefined
    const done = (hung: boolean) => {
      clearTimeout(late)
      clearTimeout(quiet)
      socket.destroy()
      resolve({ answers, text, hung, garbled })
    }
    const late = setTimeout(() => done(true), DEADLINE)
    const quiet = setTimeout(() => socket.end(), QUIET)
    socket.once('connect', () => {
      socket.write(bytes, 'latin1')
      if (due === 0) socket.end()
    })
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1')
      try {
        for (;;) {
          const found = readAnswer(text, at, toHead(answers.length))
          if (found === undefined) break
          answers.push(found.answer)
          at = found.end
        }
      } catch (error) {
        // A refusal by the parser has a body even to HEAD: behind the last answer of a connection anything may follow.
        if (!isLast(answers.at(-1))) garbled ??= String(error)
      }
      quiet.refresh()
      if (answers.length >= due) socket.end()
    })
    // A reset is an end as good as any; what was answered before counts.
    socket.once('error', () => {})
    socket.once('close', () => done(false))
  })
}

/** A request that never ends. */
export interface Stalled {
  /** What the server said when it had waited long enough; undefined: it still waits. */
  answer(): string | undefined
  close(): void
}

/** Begins a request and leaves it at that. */
export function stall(port: number, bytes: string): Stalled {
  const socket = connect({ port, host: '127.0.0.1' })
  let text = ''
  let isOver = false
  socket.write(bytes, 'latin1')
  socket.on('data', (chunk) => {
    text += chunk.toString('latin1')
  })
  socket.once('error', () => {})
  socket.once('close', () => {
    isOver = true
  })
  return { answer: () => (isOver ? text : undefined), close: () => void socket.destroy() }
}

export const isLast = (answer: Answer | undefined): boolean =>
  answer?.headers.some(
    ([name, value]) => name.toLowerCase() === 'connection' && value.toLowerCase() === 'close',
  ) ?? false

/** One request and what is to be done with its answer. */
export interface Order {
  /** One character a byte; exactly one whole request that leaves the connection open. */
  readonly bytes: string
  readonly isHead: boolean
  answered(answer: Answer): void
  /** No answer came, or none that can be read: to be asked again on a connection of its own. */
  unanswered(): void
}

export interface Lane {
  /** Asks for as many orders as there is room for. */
  fill(): void
  /** Resolves when the lane has ended: no order came and every answer did. */
  readonly ended: Promise<void>
}

/**
 * A connection that stays open, with at most `depth` requests under way. When it breaks, the one that was to be answered
 * next goes back as unanswered, the others are sent again.
 * @param next undefined: nothing for now
 * @param isOver whether no order will ever come again
 */
export function openLane({
  port,
  depth,
  next,
  isOver,
}: {
  readonly port: number
  readonly depth: number
  readonly next: () => Order | undefined
  readonly isOver: () => boolean
}): Lane {
  let socket: Socket | undefined
  let waiting: Order[] = []
  let text = ''
  let resolveEnded = (): void => {}
  const ended = new Promise<void>((resolve) => {
    resolveEnded = resolve
  })
  const late = setInterval(() => {
    if (waiting.length > 0 && performance.now() - progress > DEADLINE) socket?.destroy()
  }, 1000)
  let progress = performance.now()

  function fill(): void {
    const orders: Order[] = []
    while (waiting.length + orders.length < depth) {
      const order = next()
      if (order === undefined) break
      orders.push(order)
    }
    if (orders.length > 0) {
      if (waiting.length === 0) progress = performance.now()
      waiting.push(...orders)
      if (socket === undefined) open()
      else socket.write(orders.map(({ bytes }) => bytes).join(''), 'latin1')
    } else if (waiting.length === 0 && isOver()) {
      clearInterval(late)
      socket?.destroy()
      resolveEnded()
    }
  }

  function open(): void {
    const opened = connect({ port, host: '127.0.0.1', noDelay: true })
    socket = opened
    text = ''
    opened.write(waiting.map(({ bytes }) => bytes).join(''), 'latin1')
    opened.on('data', (chunk) => {
      text += chunk.toString('latin1')
      progress = performance.now()
      if (!take()) opened.destroy()
      else fill()
    })
    opened.once('error', () => {})
    opened.once('close', () => {
      socket = undefined
      const [lost, ...others] = waiting
      waiting = others
      lost?.unanswered()
      if (waiting.length > 0) open()
      else fill()
    })
  }

  /** @returns whether the connection may go on */
  function take(): boolean {
    let at = 0
    for (let [order] = waiting; order !== undefined; [order] = waiting) {
      let found: ReturnType<typeof readAnswer>
      try {
        found = readAnswer(text, at, order.isHead)
      } catch {
        return false
      }
      if (found === undefined) break
      // The parser refused what the reference takes for a request: its answer may stand for any of the next ones.
      if (isLast(found.answer)) return false
      waiting.shift()
      at = found.end
      order.answered(found.answer)
    }
    text = text.slice(at)
    // An answer to nothing means that the server saw a request where there is none.
    return text === '' || waiting.length > 0
  }

  return { fill, ended }
}
