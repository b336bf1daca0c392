/**
 * Verify with sessions in Redis: against the bare Fastify route of bench/verify.ts, against the same server when it has to
 * ask Redis every time (its ACL user may not be told of changes), and with many sessions against one. Alternating rounds.
 * Then what a session costs, in memory and in Redis.
 *
 *   node bench/redis.ts [rounds=7] [milliseconds a round=1500] [sessions=1000000] [hot=100000]
 */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { Redis } from 'ioredis'
import { createCache } from '../src/features/sessions/cache.ts'
import { keyOf } from '../src/features/sessions/credential.ts'
import { createRecords } from '../src/features/sessions/record.ts'
import type { Session } from '../src/features/sessions/session.ts'
import { createRedisStore } from '../src/features/sessions/stores/index.ts'
import { type EpochMs, systemClock } from '../src/kernel/clock.ts'
import { Secret } from '../src/kernel/secret.ts'
import { openRedis } from '../src/storage/redis/index.ts'
import manifest from '../src/storage/redis/manifest.ts'
import { load, request } from './load.ts'
import {
  cpuOf,
  freePort,
  type Measured,
  median,
  rssOf,
  spread,
  startBaseline,
  startVestibule,
} from './processes.ts'
import { rulesFixture } from './rules.ts'

const [ROUNDS = 7, DURATION = 1500, SESSIONS = 1_000_000, HOT = 100_000] = process.argv
  .slice(2)
  .map(Number)
const CONNECTIONS = 32
const PARALLEL = 200
const SECRET = 'a secret of the benches, long enough'
const DAY = 86_400_000

const rules = rulesFixture(10, 'bench.localhost')
const askedWith = (cookies: readonly string[]): Buffer[] => {
  const one = (cookie: string, i: number) =>
    request('/verify', {
      'X-Original-URL': `https://${rules.hosts[i % rules.hosts.length]}/app/page?x=1`,
      'X-Original-Method': 'GET',
      'X-Forwarded-For': '203.0.113.7',
      Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
      'Accept-Language': 'en-US,en;q=0.5',
      'Accept-Encoding': 'gzip, deflate, br',
      'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      'Sec-Fetch-Mode': 'navigate',
      Cookie: `theme=dark; ${cookie}; other=1`,
    })
  return cookies.length >= rules.hosts.length
    ? cookies.map(one)
    : rules.hosts.map((_, i) => one(cookies[0] ?? '', i))
}

const records = createRecords([new Secret(SECRET)])
function newSession(): { readonly value: string; readonly session: Session } {
  const value = randomBytes(32).toString('base64url')
  const id = randomBytes(16).toString('base64url')
  const now = systemClock.now()
  const session: Session = {
    id,
    key: keyOf(value),
    domain: 'bench.localhost',
    login: id,
    user: 'admin',
    factors: [{ kind: 'password', at: now }],
    createdAt: now,
    // A time plus a duration is a time.
    expiresAt: (now + DAY) as EpochMs,
    remembered: false,
    address: '203.0.113.7',
    userAgent: 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
    elevatedUntil: undefined,
    lastSeen: now,
  }
  return { value, session }
}

const redisPort = await freePort()
const folder = mkdtempSync(join(tmpdir(), 'vestibule-bench-redis-'))
const redis = spawn(
  'redis-server',
  ['--port', `${redisPort}`, '--bind', '127.0.0.1', '--dir', folder, '--save', ''],
  { stdio: 'ignore' },
)
const closing: (() => unknown)[] = [
  () => rmSync(folder, { recursive: true, force: true }),
  () => redis.kill('SIGKILL'),
]

interface Contender {
  readonly name: string
  readonly server: Measured
  readonly requests: readonly Buffer[]
  readonly perSecond: number[]
  readonly cpu: number[]
  readonly p99: number[]
}

try {
  const admin = new Redis({ port: redisPort, protocol: 2, retryStrategy: () => 50 })
  admin.on('error', () => {})
  closing.push(() => admin.disconnect())
  await admin.call('ACL', 'SETUSER', 'deaf', 'on', '>deaf', '~*', '&*', '+@all', '-client|tracking')
  const where = { host: '127.0.0.1', port: redisPort, replica_acks: 'off' }
  const session = (redis: object) => ({ session: { secret: SECRET, redis } })

  const baseline = await startBaseline()
  closing.push(() => baseline.stop())
  const one = await startVestibule(rules.accessControl, session({ ...where, key_prefix: 'one:' }))
  closing.push(() => one.stop())
  const asking = await startVestibule(
    rules.accessControl,
    session({ ...where, key_prefix: 'asking:', username: 'deaf', password: 'deaf' }),
  )
  closing.push(() => asking.stop())
  const many = await startVestibule(rules.accessControl, session({ ...where, key_prefix: 'many:' }))
  closing.push(() => many.stop())

  const config = manifest.config['session.redis'].parse({ ...where, key_prefix: 'many:' })
  if (config === undefined) throw new TypeError('no configuration')
  const connection = await openRedis({ config, log: { info() {}, warn() {} }, clock: systemClock })
  closing.push(() => connection.close())
  const store = createRedisStore({ connection, clock: systemClock, moves: false })
  const usedMemory = async () =>
    Number(/used_memory:(\d+)/.exec(await admin.info('memory'))?.[1] ?? 0)
  const empty = await usedMemory()
  const hot: string[] = []
  let left = SESSIONS
  const fill = async (): Promise<void> => {
    while (left-- > 0) {
      const { value, session } = newSession()
      if (hot.length < HOT) hot.push(`vestibule_session=${value}`)
      await store.put(records.seal(session, session.expiresAt), [], session.expiresAt)
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, fill))
  const perSession = ((await usedMemory()) - empty) / SESSIONS
  await sleep(1000)

  const contender = (name: string, server: Measured, cookies: readonly string[]): Contender => ({
    ...{ name, server, requests: askedWith(cookies) },
    ...{ perSecond: [], cpu: [], p99: [] },
  })
  const contenders = [
    contender('bare Fastify', baseline, [`vestibule_session=${'A'.repeat(43)}`]),
    contender('verify, session in Redis', one, [one.cookie]),
    contender('the same, Redis asked', asking, [asking.cookie]),
    contender(`of ${SESSIONS}, ${HOT} hot`, many, hot),
  ]
  for (const { server, requests } of contenders) {
    // Every hot session once, so that it is known.
    let answered = 0
    do {
      const measured = await load({
        port: server.port,
        requests: requests.length > HOT / 2 ? requests.slice(answered) : requests,
        connections: CONNECTIONS,
        duration: DURATION,
      })
      answered += measured.answers
    } while (answered < Math.min(requests.length, HOT))
    // All the same: each has had a major collection, and warms up again.
    await server.collect()
    await load({ port: server.port, requests, connections: CONNECTIONS, duration: DURATION })
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, server, requests, perSecond, cpu, p99 } of contenders) {
      const before = cpuOf(server.pid)
      const result = await load({
        ...{ port: server.port, requests, connections: CONNECTIONS, duration: DURATION },
      })
      const wrong = Object.entries(result.statuses).filter(([status]) => status !== '200')
      if (wrong.length > 0) throw new Error(`${name} answered ${JSON.stringify(result.statuses)}`)
      perSecond.push(result.perSecond)
      cpu.push((cpuOf(server.pid) - before) / result.answers)
      p99.push(result.p99)
    }
  }
  console.log(
    `${ROUNDS} alternating rounds of ${DURATION} ms, ${CONNECTIONS} connections; median (least–most)`,
  )
  for (const { name, perSecond, cpu, p99 } of contenders)
    console.log(
      `${name.padEnd(28)} requests/s ${spread(perSecond).padEnd(24)} CPU µs/request ${spread(cpu, 1).padEnd(18)} p99 ms ${spread(p99, 2)}`,
    )
  const [bare, known, askedEach, crowd] = contenders.map(({ perSecond }) => median(perSecond))
  if (!bare || !known || !askedEach || !crowd) throw new Error('no contenders')
  console.log(
    `session in Redis / bare Fastify: ${(known / bare).toFixed(2)} (promise ≥ 0.85); asked every time: ${(askedEach / bare).toFixed(2)}`,
  )
  console.log(
    `${SESSIONS} sessions, ${HOT} hot / one: ${(crowd / known).toFixed(2)} (promise ≥ 0.8)`,
  )
  console.log(
    `Redis: ${perSession.toFixed(0)} bytes a session; RSS with ${HOT} in memory ${rssOf(many.pid).toFixed(0)} MB, with one ${rssOf(one.pid).toFixed(0)} MB`,
  )
  console.log(`a session in memory: ${await bytesCached()} bytes (promise ≤ 1024)`)
} finally {
  for (const close of closing.reverse()) await close()
}

/** What a session takes in the cache, read from its record as from a store. */
async function bytesCached(): Promise<number> {
  setFlagsFromString('--expose-gc')
  // The flag makes it a global of contexts that come after it.
  const gc = runInNewContext('gc') as () => void
  const COUNT = 50_000
  const rows = Array.from({ length: COUNT }, () => {
    const { session } = newSession()
    return records.seal(session, session.expiresAt)
  })
  const cache = createCache(4 * COUNT)
  gc()
  const before = process.memoryUsage().heapUsed
  for (const row of rows) {
    const key = Buffer.from(row.key).toString()
    const owner = Buffer.from(row.owner).toString()
    await cache.fetch(key, async () => {
      const session = records.open({ ...row, key })
      return session && { session, owner }
    })
  }
  gc()
  const after = process.memoryUsage().heapUsed
  if (cache.peek(rows[0]?.key ?? '') === undefined) throw new Error('nothing is kept')
  return Math.round((after - before) / COUNT)
}
