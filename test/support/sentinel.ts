import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { Redis } from 'ioredis'
import { freePort } from './nginx.ts'
import { folderWith } from './program.ts'
import { type RedisServer, startRedis } from './redis.ts'

/** A master, a replica, and three sentinels that watch them as `mymaster`. */
export interface Sentinels {
  readonly servers: readonly RedisServer[]
  readonly ports: readonly number[]
  /** As `session.redis` wants it. */
  readonly config: Readonly<Record<string, unknown>>
  /** Who is the master, as the sentinels see it. */
  master(): Promise<RedisServer>
  /** Asks for a failover, again and again until one begins. */
  failover(): Promise<void>
}

/** @param args of both servers */
export async function startSentinels(
  t: Pick<TestContext, 'after'>,
  {
    args = [],
    replicas = 1,
  }: { readonly args?: readonly string[]; readonly replicas?: number } = {},
): Promise<Sentinels> {
  // Five seconds otherwise, in case more replicas come.
  args = [...args, '--repl-diskless-sync-delay', '0']
  const master = await startRedis(t, { args })
  const others = await Promise.all(
    Array.from({ length: replicas }, () =>
      startRedis(t, { args: [...args, '--replicaof', `127.0.0.1 ${master.port}`] }),
    ),
  )
  const servers = [master, ...others]
  const observer = await master.client()
  const online = async () => (await observer.info('replication')).split('state=online').length - 1
  while ((await online()) < replicas) await sleep(20)
  const ports: number[] = []
  for (let i = 0; i < 3; i++) {
    const port = await freePort()
    const folder = folderWith(t, {})
    const file = join(folder, 'sentinel.conf')
    // A sentinel writes into its file what it learns.
    writeFileSync(
      file,
      [
        `sentinel monitor mymaster 127.0.0.1 ${master.port} 2`,
        'sentinel down-after-milliseconds mymaster 500',
        'sentinel failover-timeout mymaster 3000',
        '',
      ].join('\n'),
    )
    await startRedis(t, { port, folder, sentinel: file })
    ports.push(port)
  }
  const [first = 0] = ports
  const asked = new Redis({ port: first, protocol: 2 })
  asked.on('error', () => {})
  t.after(() => asked.disconnect())
  const known = async () => {
    const [, port] = (await asked.call(
      'SENTINEL',
      'GET-MASTER-ADDR-BY-NAME',
      'mymaster',
    )) as string[] // as Redis documents it
    return servers.find((server) => `${server.port}` === port) ?? master
  }
  // They have to know of each other and of the replica before a failover can be agreed on.
  for (let tries = 0; tries < 200; tries++) {
    const flat = (await asked.call('SENTINEL', 'MASTER', 'mymaster')) as string[] // pairs, as Redis documents it
    const value = (name: string) => Number(flat[flat.indexOf(name) + 1])
    if (value('num-other-sentinels') === 2 && value('num-slaves') === replicas) break
    await sleep(50)
  }
  return {
    servers,
    ports,
    config: {
      host: '127.0.0.1',
      port: first,
      high_availability: {
        sentinel_name: 'mymaster',
        nodes: ports.slice(1).map((port) => ({ host: '127.0.0.1', port })),
      },
    },
    master: known,
    async failover() {
      for (;;) {
        try {
          await asked.call('SENTINEL', 'FAILOVER', 'mymaster')
          return
        } catch {
          // One is under way, or the replicas are not ready for another.
          await sleep(100)
        }
      }
    },
  }
}
