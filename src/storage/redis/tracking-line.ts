import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { Connection } from './connection.ts'
import { type Dialer, dismiss, type NodeAddress, type RedisClient } from './dial.ts'
import { toFault } from './fault.ts'

/** Opening one line, arming it and proving it. Milliseconds. */
export const ATTEMPT = 1000
/** Masters that a slot for the proof is looked for on; with three, 64 tries miss once in 10¹¹. */
const TRIES = 64

const CHANNEL = '__redis__:invalidate'

/** A connection that Redis tells of changes, and whether it does. */
export interface Line {
  readonly node: NodeAddress | undefined
  redis: Redis | undefined
  /** A change of ours came back over it: it is armed, and at the server that commands go to. */
  proven: boolean
  /** When the last sign of life that came was asked for: on the clock that never jumps, and as wall time. */
  askedAt: number
  askedAtWall: number
}

export function newLine(node: NodeAddress | undefined): Line {
  return { node, redis: undefined, proven: false, askedAt: 0, askedAtWall: 0 }
}

export const keyOf = (node: NodeAddress | undefined): string =>
  node === undefined ? '' : `${node.host}:${node.port}`

/** One for each server that commands may go to: undefined where there is one only. */
export function mastersOf(client: RedisClient): readonly (NodeAddress | undefined)[] {
  if (!('nodes' in client)) return [undefined]
  return client.nodes('master').map(({ options }) => ({
    host: options.host ?? '',
    port: options.port ?? 0,
  }))
}

/**
 * Opens lines and proves them.
 *
 * A line redirects its messages to itself, which RESP2 allows once it has subscribed: one that armed another would take the
 * tracking with it when it dies, and the other would go on answering.
 */
export function createArming({
  connection,
  dialer,
  proofs,
  told,
}: {
  /** For commands. */
  readonly connection: Pick<Connection, 'client'>
  readonly dialer: Dialer
  /** The prefix of the keys that are written for a proof. */
  readonly proofs: string
  /** Is given what Redis says has changed: a list of keys, or null after a flush. */
  readonly told: (keys: unknown) => void
}) {
  const awaited = new Map<string, () => void>()

  /** Writes a key over the connection that commands take, and waits until the line is told of it. */
  async function prove({ node }: Line): Promise<void> {
    const { client } = connection
    if (client === undefined) throw new Error('there is no connection for commands')
    const server = serverAt(client, node)
    const heard = Promise.withResolvers<void>()
    const late = setTimeout(() => heard.reject(new Error('a change of ours was not told')), ATTEMPT)
    try {
      // Both: a server that is silent answers the write too late as well, and what is rejected has to be awaited by then.
      await Promise.race([writeAt(server, node, heard), heard.promise])
    } finally {
      clearTimeout(late)
    }
  }

  async function writeAt(
    server: Redis,
    node: NodeAddress | undefined,
    heard: PromiseWithResolvers<void>,
  ): Promise<void> {
    for (let tries = 0; tries < TRIES; tries++) {
      const key = `${proofs}${randomBytes(9).toString('base64url')}`
      awaited.set(key, heard.resolve)
      try {
        await server.set(key, '', 'PX', ATTEMPT)
        return await heard.promise
      } catch (error) {
        // In a cluster a key has its place, and this one's may be elsewhere.
        if (node === undefined || toFault(error).code !== 'MOVED') throw error
      } finally {
        awaited.delete(key)
      }
    }
    throw new Error('no key of this node was found')
  }

  return {
    /**
     * Opens the line, has Redis tell of what changes below the prefixes, and sees to it that it does.
     * @param isWanted whether the line is still to be used
     * @param ended is called when its connection ends
     */
    async arm(
      line: Line,
      prefixes: Iterable<string>,
      { isWanted, ended }: { readonly isWanted: () => boolean; readonly ended: () => void },
    ): Promise<void> {
      const redis = await dialer.dialServer(ATTEMPT, line.node)
      if (!isWanted()) return dismiss(redis)
      line.redis = redis
      redis.once('end', ended)
      redis.on('messageBuffer', (_channel: unknown, keys: unknown) => {
        told(keys)
        if (Array.isArray(keys)) for (const key of keys) awaited.get(String(key))?.()
      })
      const id = await redis.client('ID')
      const wanted = [proofs, ...prefixes].flatMap((start) => ['PREFIX', start])
      await redis.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', `${id}`, 'BCAST', ...wanted)
      await redis.subscribe(CHANNEL)
      await prove(line)
      line.proven = true
    },
  }
}

function serverAt(client: RedisClient, node: NodeAddress | undefined): Redis {
  if (!('nodes' in client)) return client
  const key = keyOf(node)
  const found = client
    .nodes('master')
    .find(({ options }) => `${options.host}:${options.port}` === key)
  if (found === undefined) throw new Error('the node is no master any longer')
  return found
}
