/** The one way to listen on a unix socket: its mode holds from its first moment, and one that was left behind is replaced. */
import { lstatSync, unlinkSync } from 'node:fs'
import { connect, type ListenOptions, type Server } from 'node:net'
import { systemCode } from '../kernel/operator-error.ts'

export interface SocketPlace {
  readonly path: string
  /** The address for the system where the path is too long for one. */
  readonly address?: string
  /** What the mode of the socket leaves out: 0o177 gives 0600. */
  readonly umask: number
}

/**
 * Listens on a unix socket. One that a killed server left behind is replaced; one that is answered is left alone.
 * @throws Error the system's; EADDRINUSE when another server answers, ENOTSOCK when something else lies there
 */
export async function listenOnSocket(
  server: Server,
  { path, address = path, umask }: SocketPlace,
): Promise<void> {
  try {
    await listenOn(server, { path: address }, umask)
  } catch (error) {
    if (systemCode(error) !== 'EADDRINUSE') throw error
    const there = lstatSync(path, { throwIfNoEntry: false })
    if (there?.isSocket() === false)
      throw Object.assign(new Error(`${path} is no socket`), { code: 'ENOTSOCK' })
    if (await isAnswered(address)) throw error
    if (there !== undefined) unlinkSync(path)
    await listenOn(server, { path: address }, umask)
  }
}

/**
 * Listens anywhere; resolves once it does.
 * @param umask in force while a socket is made
 */
export async function listenOn(
  server: Server,
  target: ListenOptions,
  umask?: number,
): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.once('error', reject)
  // A socket is made inside this call, and has its mode from its first moment.
  const before = umask === undefined ? undefined : process.umask(umask)
  try {
    server.listen(target, resolve)
  } finally {
    if (before !== undefined) process.umask(before)
  }
  try {
    await promise
  } finally {
    server.off('error', reject)
  }
}

/** Any failure but a refused connection (this user may not open it, say) is no proof that no server is there. */
async function isAnswered(address: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>()
  const socket = connect(address, () => resolve(true))
  socket.on('error', (error) => resolve(systemCode(error) !== 'ECONNREFUSED'))
  const answered = await promise
  socket.destroy()
  return answered
}
