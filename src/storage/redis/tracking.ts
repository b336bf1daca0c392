import { randomBytes } from 'node:crypto'
import type { Redis } from 'ioredis'
import type { BaseLogger } from 'pino'
import type { Clock } from '../../kernel/clock.ts'
import type { Connection } from './connection.ts'
import { type Dialer, dismiss, type NodeAddress, type RedisClient } from './dial.ts'
import { toFault } from './fault.ts'

/** How often the tracking connections are asked for a sign of life. Milliseconds, as the next two. */
const BEAT = 100
/** For how long a sign of life counts, from when it was asked for. */
const TRUST = 250
/** Opening one connection, arming it and proving it. */
const ATTEMPT = 1000
/** Masters that a slot for the proof is looked for on; with three, 64 tries miss once in 10¹¹. */
const TRIES = 64

const CHANNEL = '__redis__:invalidate'

/** Is told what changed in Redis, whoever changed it, also we. */
export interface Watcher {
  /** Keys below the watched prefix were written, deleted or have expired. Without the prefix. */
  changed(keys: readonly string[]): void
  /** Something may have been missed: nothing that was read before counts any longer. */
  lost(): void
}

/** Until when (wall time) watchers can believe what they read earlier. 0: not at all. A field, for it is read a lot. */
export interface Trust {
  until: number
}

export interface Tracking {
  readonly trust: Readonly<Trust>
  /** @param prefix of the keys; none begins with another one */
  watch(prefix: string, watcher: Watcher): void
  close(): void
}

/** A connection that Redis tells of changes, and whether it does. */
interface Line {
  readonly node: NodeAddress | undefined
  redis: Redis | undefined
  /** A change of ours came back over it: it is armed, and at the server that commands go to. */
  proven: boolean
  /** When the last sign of life that came was asked for: on the clock that never jumps, and as wall time. */
  askedAt: number
  askedAtWall: number
}

/**
 * Redis' client tracking in broadcast mode: one connection to the server, or one to each master of a cluster.
 *
 * A connection redirects its messages to itself, which RESP2 allows once it has subscribed: one that armed another would
 * take the tracking with it when it dies, and the other would go on answering. Answers come in order, so a PONG says that
 * whatever changed before its PING has been told. What is lost with a connection cannot be known, so that every loss,
 * every silence and every change of masters is the same: nothing counts until all are armed and proven again.
 */
export function createTracking({
  connection,
  dialer,
  prefix,
  log,
  clock,
}: {
  readonly connection: Connection
  readonly dialer: Dialer
  readonly prefix: string
  readonly log: Pick<BaseLogger, 'warn'>
  readonly clock: Clock
}): Tracking {
  const trust: Trust = { until: 0 }
  const proofs = `${prefix}proof:`
  const watchers = new Map<string, Watcher>()
  const awaited = new Map<string, () => void>()
  const lines = new Map<string, Line>()
  let warned = false
  let closed = false

  function lose(): void {
    trust.until = 0
    for (const watcher of watchers.values()) watcher.lost()
  }

  function drop(key: string): void {
    const line = lines.get(key)
    if (line === undefined) return
    lines.delete(key)
    lose()
    if (line.redis !== undefined) dismiss(line.redis)
  }

  function told(keys: unknown): void {
    // Null: the database was flushed.
    if (!Array.isArray(keys)) {
      for (const watcher of watchers.values()) watcher.lost()
      return
    }
    const texts = keys.map(String)
    for (const [start, watcher] of watchers) {
      const mine = texts.filter((key) => key.startsWith(start))
      if (mine.length > 0) watcher.changed(mine.map((key) => key.slice(start.length)))
    }
    for (const key of texts) awaited.get(key)?.()
  }

  async function arm(line: Line): Promise<void> {
    const redis = await dialer.dialServer(ATTEMPT, line.node)
    const key = keyOf(line.node)
    if (lines.get(key) !== line) return dismiss(redis)
    line.redis = redis
    redis.once('end', () => {
      if (lines.get(key) === line) drop(key)
    })
    redis.on('messageBuffer', (_channel: unknown, keys: unknown) => told(keys))
    const id = await redis.client('ID')
    const prefixes = [proofs, ...watchers.keys()].flatMap((start) => ['PREFIX', start])
    await redis.call('CLIENT', 'TRACKING', 'ON', 'REDIRECT', `${id}`, 'BCAST', ...prefixes)
    await redis.subscribe(CHANNEL)
    await prove(line)
    line.proven = true
    // A sign of life, but not one to believe in: it was not asked for over this connection.
    line.askedAt = performance.now()
    ask(line)
  }

  /** Writes a key over the connection that commands take, and waits for the news of it on this one. */
  async function prove({ node }: Line): Promise<void> {
    const { client } = connection
    if (client === undefined) throw new Error('there is no connection for commands')
    const server = serverAt(client, node)
    const heard = Promise.withResolvers<void>()
    const late = setTimeout(() => heard.reject(new Error('a change of ours was not told')), ATTEMPT)
    try {
      await writeAt(server, node, heard)
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

  function open(node: NodeAddress | undefined): void {
    const key = keyOf(node)
    const line: Line = { node, redis: undefined, proven: false, askedAt: 0, askedAtWall: 0 }
    lines.set(key, line)
    lose()
    const late = setTimeout(() => failed(new Error('it could not be armed in time')), 2 * ATTEMPT)
    const failed = (error: unknown): void => {
      clearTimeout(late)
      if (lines.get(key) !== line) return
      drop(key)
      if (!warned && connection.client !== undefined) {
        log.warn(
          { reason: toFault(error).message },
          'Redis does not tell of changes: every request asks it until it does',
        )
        warned = true
      }
      // If commands go where nobody tells us of changes, they may go to a server that is no master any longer.
      suspect()
    }
    arm(line).then(() => clearTimeout(late), failed)
  }

  /** Asks the connection for commands whether it is still there; if it is not, the connection looks for a new one. */
  function suspect(): void {
    connection.run((client) => client.get(`${proofs}none`)).catch(() => {})
  }

  function ask(line: Line): void {
    const [asked, wall] = [performance.now(), clock.now()]
    line.redis?.ping().then(
      () => {
        line.askedAt = asked
        line.askedAtWall = wall
        believe()
      },
      // Its end is told by itself.
      () => {},
    )
  }

  function believe(): void {
    const { client } = connection
    if (client === undefined || !covers(client)) return
    let oldest = Number.POSITIVE_INFINITY
    for (const line of lines.values()) {
      if (!line.proven) return
      oldest = Math.min(oldest, line.askedAtWall)
    }
    warned = false
    trust.until = oldest + TRUST
  }

  /** Whether there is a connection to every master that commands may go to. */
  function covers(client: RedisClient): boolean {
    const masters = mastersOf(client)
    return masters.length === lines.size && masters.every((node) => lines.has(keyOf(node)))
  }

  function beat(): void {
    const { client } = connection
    if (client === undefined || closed || watchers.size === 0) return
    const now = performance.now()
    for (const [key, line] of lines) {
      if (!line.proven) continue
      if (now - line.askedAt <= TRUST) ask(line)
      else {
        drop(key)
        suspect()
      }
    }
    const masters = mastersOf(client)
    const wanted = new Set(masters.map(keyOf))
    for (const key of [...lines.keys()]) if (!wanted.has(key)) drop(key)
    for (const node of masters) if (!lines.has(keyOf(node))) open(node)
  }

  function restart(): void {
    for (const key of [...lines.keys()]) drop(key)
    beat()
  }

  // Not the server's clock: silence on a wire is a matter of real time.
  const timer = setInterval(beat, BEAT).unref()
  connection.onChange((client) => {
    restart()
    if (client !== undefined && 'nodes' in client) {
      // A node that is new is one that nobody watches yet.
      client.on('+node', lose)
      client.on('-node', lose)
    }
  })

  return {
    trust,
    watch(start, watcher) {
      watchers.set(start, watcher)
      restart()
    },
    close() {
      closed = true
      clearInterval(timer)
      for (const key of [...lines.keys()]) drop(key)
    },
  }
}

const keyOf = (node: NodeAddress | undefined): string =>
  node === undefined ? '' : `${node.host}:${node.port}`

function mastersOf(client: RedisClient): readonly (NodeAddress | undefined)[] {
  if (!('nodes' in client)) return [undefined]
  return client.nodes('master').map(({ options }) => ({
    host: options.host ?? '',
    port: options.port ?? 0,
  }))
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
