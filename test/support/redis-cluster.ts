import { execFile, execFileSync } from 'node:child_process'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import type { Redis } from 'ioredis'
import { freePort } from './nginx.ts'
import { type RedisServer, startRedis } from './redis.ts'

const run = promisify(execFile)

/** Masters that share the slots, and perhaps a replica of each. */
export interface RedisClusterServers {
  readonly servers: readonly RedisServer[]
  readonly masters: readonly RedisServer[]
  /** As `session.redis` wants it. */
  readonly config: Readonly<Record<string, unknown>>
  /** Moves this many slots from one master to the next, with what is in them. */
  reshard(from: RedisServer, to: RedisServer, slots: number): Promise<void>
  /** Two of those that are masters now. */
  twoMasters(): Promise<[RedisServer, RedisServer]>
  /** Waits until those that run say that every slot is served. */
  settled(): Promise<void>
}

export async function startRedisCluster(
  t: Pick<TestContext, 'after'>,
  {
    args = [],
    replicas = 0,
  }: { readonly args?: readonly string[]; readonly replicas?: number } = {},
): Promise<RedisClusterServers> {
  const servers = await Promise.all(
    Array.from({ length: 3 * (1 + replicas) }, async () => {
      // The bus is on port + 10000 otherwise, which may not exist.
      const [port, bus] = [await freePort(), await freePort()]
      return startRedis(t, {
        port,
        args: [
          ...['--cluster-enabled', 'yes', '--cluster-port', `${bus}`],
          ...['--cluster-node-timeout', '1500', '--repl-diskless-sync-delay', '0', ...args],
        ],
      })
    }),
  )
  const addresses = servers.map(({ port }) => `127.0.0.1:${port}`)
  const cli = (...rest: string[]) =>
    execFileSync('redis-cli', ['--cluster', ...rest, '--cluster-yes'])
  cli('create', ...addresses, '--cluster-replicas', `${replicas}`)
  const clients = await Promise.all(servers.map((server) => server.client()))
  for (const client of clients)
    while (!/cluster_state:ok/.test(String(await client.cluster('INFO')))) await sleep(50)
  const masters: RedisServer[] = []
  for (const [i, client] of clients.entries()) {
    const server = servers[i]
    if (server !== undefined && /role:master/.test(await client.info('replication')))
      masters.push(server)
  }
  if (replicas > 0)
    for (const client of clients)
      while (/role:slave[\s\S]*master_link_status:down/.test(await client.info('replication')))
        await sleep(50)
  /** Of those that answer. */
  const infoOf = async (ask: (client: Redis) => Promise<unknown>): Promise<string[]> => {
    const told = await Promise.allSettled(
      clients.map((client) =>
        client.status === 'ready' ? ask(client) : Promise.reject(new Error('it is away')),
      ),
    )
    return told.map((one) => (one.status === 'fulfilled' ? String(one.value) : ''))
  }
  const mastersNow = async (): Promise<RedisServer[]> => {
    const roles = await infoOf((client) => client.info('replication'))
    return servers.filter((_, i) => /role:master/.test(roles[i] ?? ''))
  }
  const idOf = (server: RedisServer) =>
    execFileSync('redis-cli', ['-p', `${server.port}`, 'CLUSTER', 'MYID'])
      .toString()
      .trim()
  return {
    servers,
    masters,
    config: {
      cluster: { nodes: masters.map(({ port }) => ({ host: '127.0.0.1', port })) },
    },
    async reshard(from, to, slots) {
      await run('redis-cli', [
        ...['--cluster', 'reshard', `127.0.0.1:${from.port}`, '--cluster-from', idOf(from)],
        ...['--cluster-to', idOf(to), '--cluster-slots', `${slots}`, '--cluster-yes'],
      ]).catch((error: Error & { stdout?: string }) => {
        throw new Error(`resharding failed: ${error.stdout?.slice(-300)}`)
      })
    },
    async twoMasters() {
      for (;;) {
        const found = await mastersNow()
        const [one, other] = found
        if (found.length >= 3 && one !== undefined && other !== undefined) return [one, other]
        await sleep(100)
      }
    },
    async settled() {
      // A master that is gone is first missed, then replaced.
      for (;;) {
        const states = await infoOf((client) => client.cluster('INFO'))
        const fine = states.filter((text) => /cluster_slots_ok:16384/.test(text))
        if (fine.length >= servers.length - 1 && (await mastersNow()).length >= 3) return
        await sleep(100)
      }
    },
  }
}
