import { randomInt } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:net'

/**
 * Above what Chromium refuses to open, and below the ports that systems give to outgoing connections: one of those could
 * take the port between this look and the start of the program that is to listen there.
 */
const [FIRST, END] = [12_000, 32_000]

/** A port of 127.0.0.1 that no program listens on. @throws Error when a hundred of them are taken */
export async function freePort(): Promise<number> {
  for (let tries = 0; tries < 100; tries++) {
    const port = randomInt(FIRST, END)
    const server = createServer()
    server.listen(port, '127.0.0.1')
    const isFree = await once(server, 'listening').then(
      () => true,
      () => false,
    )
    if (!isFree) continue
    server.close()
    await once(server, 'close')
    return port
  }
  throw new Error('no port is free')
}
