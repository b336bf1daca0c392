/**
 * The Redis drill: a server, sentinels and a cluster are killed, paused, restarted, failed over and resharded while people
 * come, are let through and go at two nodes. Nobody gets in without a right, no acknowledged session is lost, no
 * acknowledged ending is undone.
 *
 *     npm run drill:redis -- [--seed N] [--size N]
 *
 * Size is how often each fault happens. Redis runs with `appendfsync always`, and with `min-replicas-to-write 1` and
 * `replica_acks: require` where there are replicas. Ends with status 1 when a promise is broken.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { openMinter, startNode } from '../sessions/redis-nodes.ts'
import { type RedisServer, startRedis } from '../support/redis.ts'
import { startRedisCluster } from '../support/redis-cluster.ts'
import { startSentinels } from '../support/sentinel.ts'
import { type Cleanup, createCleanup, readOptions } from './options.ts'
import { type Random, randomOf } from './random.ts'
import { startCrowd } from './redis-crowd.ts'

const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always']
const REPLICATED = [...DURABLE, '--min-replicas-to-write', '1', '--min-replicas-max-lag', '5']
const ACKS = { replica_acks: 'require' }
/** After every fault everything works again within this time. Milliseconds. */
const LIMIT = 60_000

interface Scene {
  readonly name: string
  /** As `session.redis` wants it. */
  readonly config: Readonly<Record<string, unknown>>
  readonly faults: Readonly<Record<string, (random: Random) => Promise<void>>>
}

const between = (random: Random, from: number, to: number) => from + random.below(to - from)

async function oneServer(t: Cleanup): Promise<Scene> {
  const server = await startRedis(t, { args: DURABLE })
  return {
    name: 'a server',
    config: { host: '127.0.0.1', port: server.port },
    faults: {
      'kill -9': (random) => restart(server, 'SIGKILL', between(random, 0, 800)),
      restart: (random) => restart(server, 'SIGTERM', between(random, 0, 300)),
      pause: (random) => pause(server, between(random, 100, 2000)),
    },
  }
}

async function restart(server: RedisServer, signal: NodeJS.Signals, ms: number): Promise<void> {
  await server.kill(signal)
  await sleep(ms)
  await server.start()
}

async function pause(server: RedisServer, ms: number): Promise<void> {
  server.pause()
  await sleep(ms)
  server.resume()
}

async function threeWithSentinels(t: Cleanup): Promise<Scene> {
  const sentinels = await startSentinels(t, { args: REPLICATED, replicas: 2 })
  /** Until the sentinels have another master. */
  const failedOver = async (old: RedisServer) => {
    while ((await sentinels.master()) === old) await sleep(20)
  }
  return {
    name: 'sentinels',
    config: { ...sentinels.config, ...ACKS },
    faults: {
      failover: async () => {
        const old = await sentinels.master()
        await sentinels.failover()
        await failedOver(old)
      },
      'kill -9 of the master': async () => {
        const old = await sentinels.master()
        await old.kill()
        await failedOver(old)
        await old.start()
      },
      'pause of the master until it is none': async (random) => {
        const old = await sentinels.master()
        old.pause()
        await failedOver(old)
        await sleep(random.below(500))
        // It takes itself for the master until somebody tells it otherwise.
        old.resume()
      },
    },
  }
}

async function sixInACluster(t: Cleanup): Promise<Scene> {
  const cluster = await startRedisCluster(t, { args: REPLICATED, replicas: 1 })
  return {
    name: 'a cluster',
    config: { ...cluster.config, ...ACKS },
    faults: {
      'slots that move': async (random) => {
        const [from, to] = await cluster.twoMasters()
        await cluster.reshard(from, to, between(random, 100, 400))
      },
      'kill -9 of a master': async () => {
        const [old] = await cluster.twoMasters()
        await old.kill()
        await cluster.settled()
        await old.start()
      },
    },
  }
}

async function play(
  open: (t: Cleanup) => Promise<Scene>,
  size: number,
  random: Random,
): Promise<boolean> {
  const t = createCleanup()
  try {
    const { name, config, faults } = await open(t)
    const nodes = await Promise.all([startNode(t, config), startNode(t, config)])
    const minter = await openMinter(t, config)
    const crowd = startCrowd(
      minter,
      nodes.map(({ port }) => port),
      random,
    )
    for (const [fault, happen] of Object.entries(faults)) {
      let worst = 0
      for (let round = 0; round < size; round++) {
        await crowd.recovered(LIMIT)
        await sleep(300)
        crowd.takeOutage()
        await happen(random)
        await crowd.recovered(LIMIT)
        worst = Math.max(worst, crowd.takeOutage())
        await crowd.audit()
      }
      console.log(`${name}, ${fault}: longest outage ${Math.round(worst)} ms`)
    }
    await crowd.stop()
    const { tally } = crowd
    console.log(`${name}: ${JSON.stringify(tally)}`)
    return tally.withoutRight === 0 && tally.lost === 0 && tally.undone === 0
  } finally {
    await t.run()
  }
}

const { seed, size } = readOptions(10)
console.log(`seed ${seed}, each fault ${size} times`)
const random = randomOf(seed, 0)
let kept = true

for (const scene of [oneServer, threeWithSentinels, sixInACluster])
  kept = (await play(scene, size, random)) && kept
console.log(kept ? 'every promise was kept' : 'A PROMISE WAS BROKEN')
if (!kept) process.exitCode = 1
