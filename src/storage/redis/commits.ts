import type { ChainableCommander, Redis } from 'ioredis'
import type { BaseLogger } from 'pino'
import type { Clock } from '../../kernel/clock.ts'
import type { Connection } from './connection.ts'
import type { RedisClient } from './dial.ts'
import { RedisFault, toFault } from './fault.ts'

/** How long Redis waits for a replica, and what a write may take in all. Milliseconds. */
const WAIT = 500
const PATIENCE = 1000
/** With `warn`: after a replica was too late, and after none was there, how long none is waited for. Milliseconds. */
const REST = 5000
/** How often replicas are counted, and for how long one that was there is waited for. Milliseconds. */
const RECOUNT = 500
const MEMORY = 10_000

export type Command = readonly [name: string, ...args: (string | number | Buffer)[]]

export interface Commits {
  /**
   * One command that writes; waits until a replica has it too, as `replica_acks` says.
   * @returns what it answers
   * @throws AppError STORE_UNAVAILABLE; what was written may be there all the same
   */
  commit(command: Command): Promise<unknown>
  /** The master is another one now. */
  abandon(reason: string): void
  close(): void
}

/**
 * @param connection for what needs no replica
 * @param openWriter a connection of its own: WAIT holds up whatever comes after it on a connection, and reads must not wait
 */
export function createCommits({
  connection,
  openWriter,
  acks,
  log,
  clock,
}: {
  readonly connection: Connection
  readonly openWriter: () => Connection
  readonly acks: 'off' | 'warn' | 'require'
  readonly log: Pick<BaseLogger, 'info' | 'warn'>
  readonly clock: Clock
}): Commits {
  const writer = acks === 'off' ? undefined : openWriter()
  /** Whether replicas were ever there; a server without any is not waited with. */
  let replicated = false
  let short = false
  let restUntil = Number.NEGATIVE_INFINITY
  const required = createCount(clock)

  function isShort(reason: string): void {
    restUntil = clock.monotonic() + REST
    if (!short)
      log.warn(
        { reason },
        'Redis has no replica that follows: a failover now may undo what is written',
      )
    short = true
  }

  async function acknowledged(client: RedisClient, command: Command): Promise<unknown> {
    // On the connection of the write: WAIT counts what this connection wrote.
    const wanted = acks === 'require' ? await required(client) : 1
    const [result, followers] = await execute(client, command, ['WAIT', wanted, WAIT])
    if (Number(followers) >= wanted) {
      if (short) log.info('Redis has a replica again that follows')
      short = false
    } else if (acks === 'require')
      throw new RedisFault('NOREPLICAS', 'a replica does not have it yet')
    else isShort(`no replica answered within ${WAIT} ms`)
    return result
  }

  async function waitsFor(client: RedisClient): Promise<boolean> {
    if (acks === 'require') return true
    if (clock.monotonic() < restUntil) return false
    if (await hasReplicas(client)) {
      replicated = true
      return true
    }
    if (replicated) isShort('none is connected')
    else restUntil = clock.monotonic() + REST
    return false
  }

  return {
    async commit(command) {
      const alone = async (client: RedisClient) => (await execute(client, command))[0]
      if (writer === undefined) return connection.run(alone, { patience: PATIENCE })
      return writer.run(
        async (client) =>
          (await waitsFor(client)) ? acknowledged(client, command) : alone(client),
        { patience: PATIENCE },
      )
    },
    abandon: (reason) => writer?.abandon(reason),
    close: () => writer?.close(),
  }
}

/**
 * All that follow, and those that followed a moment ago. While sentinels replace a master that is alive, it goes on for
 * seconds with the replicas that were not told yet: one that acknowledges is not enough then, for it will throw away
 * what the new master never had. The new master is missing among them.
 */
function createCount(clock: Clock): (client: RedisClient) => Promise<number> {
  const counts = new WeakMap<RedisClient, readonly { at: number; online: number }[]>()
  return async (client) => {
    if ('nodes' in client) return 1
    const now = clock.monotonic()
    let seen = counts.get(client) ?? []
    const last = seen.at(-1)
    if (last === undefined || now - last.at >= RECOUNT)
      seen = [...seen, { at: now, online: await countOnline(client) }]
    seen = seen.filter(({ at }) => now - at <= MEMORY)
    counts.set(client, seen)
    return Math.max(1, ...seen.map(({ online }) => online))
  }
}

/**
 * One after the other on one connection.
 * @throws what the first that failed says
 */
async function execute(
  client: RedisClient,
  command: Command,
  ...rest: Command[]
): Promise<readonly unknown[]> {
  try {
    return await inOrder(client.pipeline(), [command, ...rest])
  } catch (error) {
    if (!('nodes' in client)) throw error
    // A pipeline does not follow a slot that moves or has moved.
    const { code, message } = toFault(error)
    if (code === 'ASK') {
      const node = nodeAt(client.nodes(), message)
      if (node === undefined) throw error
      return (await inOrder(node.pipeline(), [['ASKING'], command, ...rest])).slice(1)
    }
    if (code !== 'MOVED') throw error
    // A single command does, and the map is right after it.
    const key = command.find((arg) => typeof arg === 'string' && arg.includes('{'))
    await client.exists(String(key))
    return inOrder(client.pipeline(), [command, ...rest])
  }
}

/** @param message `ASK 866 127.0.0.1:7001` */
function nodeAt(nodes: readonly Redis[], message: string): Redis | undefined {
  const address = message.split(' ')[2]
  return nodes.find(({ options }) => `${options.host}:${options.port}` === address)
}

async function inOrder(
  pipeline: ChainableCommander,
  commands: readonly Command[],
): Promise<readonly unknown[]> {
  for (const [name, ...args] of commands) pipeline.call(name, ...args)
  const results = await pipeline.exec()
  return (results ?? []).map(([error, result]) => {
    if (error !== null) throw error
    return result
  })
}

async function countOnline(client: Redis): Promise<number> {
  return (await client.info('replication')).split('state=online').length - 1
}

async function hasReplicas(client: RedisClient): Promise<boolean> {
  if ('nodes' in client) return client.nodes('slave').length > 0
  return /^connected_slaves:[1-9]/m.test(await client.info('replication'))
}
