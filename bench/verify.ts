/**
 * Verify with a live session against a bare Fastify route that sends the same headers and parses one cookie; and 10
 * rules against 10,000, over many hosts and on one. Alternating rounds, medians, spread.
 *
 *   node bench/verify.ts [rounds=7] [milliseconds a round=1500]
 */
import { load, request } from './load.ts'
import {
  cpuOf,
  type Measured,
  median,
  rssOf,
  spread,
  startBaseline,
  startVestibule,
} from './processes.ts'
import { oneHostFixture, rulesFixture } from './rules.ts'

const ROUNDS = Number(process.argv[2] ?? 7)
const DURATION = Number(process.argv[3] ?? 1500)
const CONNECTIONS = 32

interface Contender {
  readonly name: string
  readonly server: Measured
  readonly requests: readonly Buffer[]
  readonly perSecond: number[]
  readonly cpu: number[]
  readonly p99: number[]
}

const asked = (cookie: string, hosts: readonly string[]) =>
  hosts.map((host) =>
    request('/verify', {
      'X-Original-URL': `https://${host}/app/page?x=1`,
      'X-Original-Method': 'GET',
      'X-Forwarded-For': '203.0.113.7',
      Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
      'Accept-Language': 'en-US,en;q=0.5',
      'Accept-Encoding': 'gzip, deflate, br',
      'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
      'Sec-Fetch-Mode': 'navigate',
      Cookie: `theme=dark; ${cookie}; other=1`,
    }),
  )

const few = rulesFixture(10, 'bench.localhost')
const many = rulesFixture(10_000, 'bench.localhost')
const [fewOnOne, manyOnOne] = [
  oneHostFixture(10, 'bench.localhost'),
  oneHostFixture(10_000, 'bench.localhost'),
]
const [baseline, ours, crowded, oneHost, crowdedHost] = [
  await startBaseline(),
  await startVestibule(few.accessControl),
  await startVestibule(many.accessControl),
  await startVestibule(fewOnOne.accessControl),
  await startVestibule(manyOnOne.accessControl),
]
const contender = (name: string, server: Measured, requests: readonly Buffer[]): Contender => ({
  name,
  server,
  requests,
  perSecond: [],
  cpu: [],
  p99: [],
})
const contenders = [
  contender('bare Fastify', baseline, asked(`vestibule_session=${'A'.repeat(43)}`, few.hosts)),
  contender('verify, 10 rules', ours, asked(ours.cookie, few.hosts)),
  contender('verify, 10,000 rules', crowded, asked(crowded.cookie, many.hosts)),
  contender('10 on one host', oneHost, asked(oneHost.cookie, fewOnOne.hosts)),
  contender('10,000 on one host', crowdedHost, asked(crowdedHost.cookie, manyOnOne.hosts)),
]
try {
  const idle = rssOf(ours.pid)
  for (const { server, requests } of contenders)
    await load({ port: server.port, requests, connections: CONNECTIONS, duration: DURATION })
  for (let round = 0; round < ROUNDS; round++) {
    for (const { name, server, requests, perSecond, cpu, p99 } of contenders) {
      const before = cpuOf(server.pid)
      const result = await load({
        port: server.port,
        requests,
        connections: CONNECTIONS,
        duration: DURATION,
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
      `${name.padEnd(22)} requests/s ${spread(perSecond).padEnd(24)} CPU µs/request ${spread(cpu, 1).padEnd(18)} p99 ms ${spread(p99, 2)}`,
    )
  const [bare, ten, thousands, tenOnOne, thousandsOnOne] = contenders
  if (
    bare === undefined ||
    ten === undefined ||
    thousands === undefined ||
    tenOnOne === undefined ||
    thousandsOnOne === undefined
  )
    throw new Error('no contenders')
  const ratio = (a: readonly number[], b: readonly number[]) => (median(a) / median(b)).toFixed(2)
  console.log(
    `verify / bare Fastify: requests/s ${ratio(ten.perSecond, bare.perSecond)} (promise ≥ 0.85), CPU ${ratio(ten.cpu, bare.cpu)}, p99 ${ratio(ten.p99, bare.p99)} (promise ≤ 1.5)`,
  )
  console.log(
    `10,000 rules / 10 rules: requests/s ${ratio(thousands.perSecond, ten.perSecond)} (promise ≥ 0.9), CPU ${ratio(thousands.cpu, ten.cpu)}`,
  )
  console.log(
    `on one host: requests/s ${ratio(thousandsOnOne.perSecond, tenOnOne.perSecond)} (promise ≥ 0.9), CPU ${ratio(thousandsOnOne.cpu, tenOnOne.cpu)}`,
  )

  let asked = 0
  while (asked < 1_000_000)
    asked += (
      await load({
        port: ours.port,
        requests: contenders[1]?.requests ?? [],
        connections: CONNECTIONS,
        duration: 5000,
      })
    ).answers
  console.log(
    `RSS: idle ${idle.toFixed(0)} MB, after a million verifies ${rssOf(ours.pid).toFixed(0)} MB; with 10,000 rules ${rssOf(crowded.pid).toFixed(0)} MB, all on one host ${rssOf(crowdedHost.pid).toFixed(0)} MB`,
  )
} finally {
  for (const { server } of contenders) await server.stop()
}
