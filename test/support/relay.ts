import net from 'node:net'
import type { TestContext } from 'node:test'

/** Stands between two programs, and can fall silent or slow: nothing goes through any longer, and nothing is closed. */
export interface Relay {
  readonly port: number
  /** Silences the connections over which this was sent, those of now and those to come. */
  silence(sent: string): void
  /** Lets everything through again; what was silenced is closed. */
  heal(): void
  /** Keeps back what comes over the connections over which this was sent, from that on. */
  hold(sent: string): void
  /** Hands on what was kept back. */
  release(): void
  /** How many of the connections of now have sent this. */
  count(sent: string): number
}

interface Connection {
  readonly client: net.Socket
  readonly server: net.Socket
  said: string
  /** What hands on each chunk that is kept back, in order. */
  readonly held: (() => void)[]
}

/** Enough to know what a connection is for. */
const REMEMBERED = 4096

export async function startRelay(t: Pick<TestContext, 'after'>, to: number): Promise<Relay> {
  const open = new Set<Connection>()
  let silenced: string | undefined
  let held: string | undefined
  const isSilent = ({ said }: Connection) => silenced !== undefined && said.includes(silenced)
  const handOn = (connection: Connection, to: net.Socket, chunk: Buffer): void => {
    if (isSilent(connection)) return
    if (held !== undefined && connection.said.includes(held))
      connection.held.push(() => void to.write(chunk))
    else to.write(chunk)
  }
  const relay = net.createServer((client) => {
    const server = net.connect(to, '127.0.0.1')
    const connection: Connection = { client, server, said: '', held: [] }
    open.add(connection)
    client.on('data', (chunk: Buffer) => {
      if (connection.said.length < REMEMBERED) connection.said += chunk.toString('latin1')
      handOn(connection, server, chunk)
    })
    server.on('data', (chunk: Buffer) => handOn(connection, client, chunk))
    const end = () => {
      open.delete(connection)
      client.destroy()
      server.destroy()
    }
    for (const socket of [client, server]) {
      socket.setNoDelay(true)
      socket.on('error', end)
      socket.on('close', end)
    }
  })
  await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve))
  const address = relay.address()
  if (address === null || typeof address === 'string') throw new TypeError('no port')
  const closeAll = () => {
    for (const { client, server } of open) {
      client.destroy()
      server.destroy()
    }
  }
  t.after(() => {
    closeAll()
    relay.close()
  })
  return {
    port: address.port,
    silence(sent) {
      silenced = sent
    },
    heal() {
      for (const connection of open) if (isSilent(connection)) connection.client.destroy()
      silenced = undefined
    },
    hold(sent) {
      held = sent
    },
    release() {
      held = undefined
      for (const connection of open) for (const hand of connection.held.splice(0)) hand()
    },
    count: (sent) => [...open].filter(({ said }) => said.includes(sent)).length,
  }
}
