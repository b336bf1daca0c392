import net from 'node:net'
import type { TestContext } from 'node:test'

/** Stands between two programs, and can fall silent: nothing goes through any longer, and nothing is closed. */
export interface Relay {
  readonly port: number
  /** Silences the connections over which this was sent, those of now and those to come. */
  silence(sent: string): void
  /** Lets everything through again; what was silenced is closed. */
  heal(): void
  /** How many of the connections of now have sent this. */
  count(sent: string): number
}

interface Connection {
  readonly client: net.Socket
  readonly server: net.Socket
  said: string
}

/** Enough to know what a connection is for. */
const REMEMBERED = 4096

export async function startRelay(t: Pick<TestContext, 'after'>, to: number): Promise<Relay> {
  const open = new Set<Connection>()
  let silenced: string | undefined
  const isSilent = ({ said }: Connection) => silenced !== undefined && said.includes(silenced)
  const relay = net.createServer((client) => {
    const server = net.connect(to, '127.0.0.1')
    const connection: Connection = { client, server, said: '' }
    open.add(connection)
    client.on('data', (chunk: Buffer) => {
      if (connection.said.length < REMEMBERED) connection.said += chunk.toString('latin1')
      if (!isSilent(connection)) server.write(chunk)
    })
    server.on('data', (chunk: Buffer) => {
      if (!isSilent(connection)) client.write(chunk)
    })
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
    count: (sent) => [...open].filter(({ said }) => said.includes(sent)).length,
  }
}
