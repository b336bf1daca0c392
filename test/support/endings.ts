/**
 * Servers that end by themselves. A test sees only a refused connection then; here is why.
 */
import type { ChildProcess } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/** What a test may know of a server's process. */
export interface Watched {
  /** The test ends it now: what it does then is its own matter. */
  asked(): void
  /** Why it ended although no test asked; undefined while it runs, or when one did. */
  unasked(): string | undefined
}

interface Known extends Watched {
  readonly ended: Promise<unknown>
  readonly isAsked: () => boolean
}

/** The server that was last started on each port. */
const servers = new Map<number, Known>()

/** @param output everything that it has printed so far */
export function watchEnding(
  child: ChildProcess,
  { port, output }: { readonly port: number; readonly output: () => string },
): Watched {
  let asked = false
  let why: string | undefined
  const ended = new Promise<void>((resolve) =>
    // Not `exit`: what it printed last may still be on its way then.
    child.once('close', (status, signal) => {
      if (!asked)
        why = `the server on port ${port} ended by itself, ${signal === null ? `with status ${status}` : `by ${signal}`}; it said last:\n${lastOf(output())}`
      resolve()
    }),
  )
  const known = {
    asked: () => {
      asked = true
    },
    unasked: () => why,
    ended,
    isAsked: () => asked,
  }
  servers.set(port, known)
  return known
}

/** How long the end of a process may come after the end of its connections. Milliseconds. */
const LAST_WORDS = 2_000

/** @returns the error of a connection, which now says so when the server has ended by itself */
export async function explained(error: Error, port: number): Promise<Error> {
  const server = servers.get(port)
  if (server === undefined || server.isAsked() || !isGone(error)) return error
  const timer = new AbortController()
  const late = sleep(LAST_WORDS, undefined, { signal: timer.signal }).catch(() => {})
  await Promise.race([server.ended, late])
  timer.abort()
  const why = server.unasked()
  if (why !== undefined) error.message += `: ${why}`
  return error
}

/** Node shows the line of the code that threw, and in a bundle that is a long one. */
const lastOf = (output: string): string =>
  output
    .split('\n')
    .map((line) => line.slice(0, 400))
    .join('\n')
    .slice(-4_000)

const isGone = (error: Error): boolean =>
  'code' in error && (error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET')
