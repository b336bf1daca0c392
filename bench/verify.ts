/**
 * Verify with a live session against a bare Fastify route that sends the same headers and parses one cookie: a browser's own
 * headers, ten rules of a household, and 10,000 rules on one host against ten. Every server has had the same warm-up and a
 * major garbage collection; many short rounds in turn, medians of the ratios within a round.
 *
 *   node bench/verify.ts [rounds=30] [milliseconds a round=300] [--no-one-host]
 *
 * `bare Fastify, tick kept` shows how much of it is src/server/tick-object.ts alone. `--no-one-host` leaves the 10,000 rules out.
 */
import { parseArgs } from 'node:util'
import { browserRequests, crowdedHost, householdRules } from './browser.ts'
import { load } from './load.ts'
import {
  cpuOf,
  kernelCpuOf,
  type Measured,
  median,
  rssOf,
  spread,
  startBaseline,
  startVestibule,
} from './processes.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { 'one-host': { type: 'boolean', default: true } },
  allowNegative: true,
})
const ROUNDS = Number(positionals[0] ?? 30)
const DURATION = Number(positionals[1] ?? 300)
const CONNECTIONS = 32
const WARM_UP = 3000
const DOMAIN = 'bench.localhost'

interface Contender {
  readonly name: string
  readonly server: Measured
  readonly requests: readonly Buffer[]
  readonly perSecond: number[]
  readonly cpu: number[]
  /** Of all rounds, in microseconds and requests: a round is too short for the kernel's clock. */
  readonly total: { cpu: number; kernel: number; requests: number }
  readonly p99: number[]
}

const contender = (name: string, server: Measured, requests: readonly Buffer[]): Contender => ({
  name,
  server,
  requests,
  perSecond: [],
  cpu: [],
  total: { cpu: 0, kernel: 0, requests: 0 },
  p99: [],
})

async function startAll(): Promise<{
  readonly bare: Contender
  readonly ours: Contender
  readonly all: readonly Contender[]
  readonly crowd: readonly Contender[]
}> {
  const household = householdRules(DOMAIN)
  const requests = browserRequests(`vestibule_session=${'A'.repeat(43)}`, household.hosts)
  const bare = contender('bare Fastify', await startBaseline(), requests)
  const kept = contender('bare Fastify, tick kept', await startBaseline('kept-tick'), requests)
  const server = await startVestibule(household.accessControl)
  const ours = contender(
    'verify, a household',
    server,
    browserRequests(server.cookie, household.hosts),
  )
  const crowd: Contender[] = []
  for (const count of values['one-host'] ? [10, 10_000] : []) {
    const { accessControl, hosts } = crowdedHost(count, DOMAIN)
    const one = await startVestibule(accessControl)
    crowd.push(contender(`verify, ${count} on a host`, one, browserRequests(one.cookie, hosts)))
  }
  return { bare, ours, all: [bare, kept, ours, ...crowd], crowd }
}

async function measure(contender: Contender): Promise<void> {
  const { name, server, requests, perSecond, cpu, total, p99 } = contender
  const before = cpuOf(server.pid)
  const kernelBefore = kernelCpuOf(server.pid)
  const result = await load({
    port: server.port,
    requests,
    connections: CONNECTIONS,
    duration: DURATION,
  })
  const used = cpuOf(server.pid) - before
  const wrong = Object.keys(result.statuses).filter((status) => status !== '200')
  if (wrong.length > 0) throw new Error(`${name} answered ${JSON.stringify(result.statuses)}`)
  perSecond.push(result.perSecond)
  cpu.push(used / result.answers)
  p99.push(result.p99)
  total.cpu += used
  total.kernel += kernelCpuOf(server.pid) - kernelBefore
  total.requests += result.answers
}

/** The median of the ratios within a round, which a machine that has other things to do disturbs least. */
const ratio = (a: readonly number[], b: readonly number[]): string =>
  median(a.map((one, round) => one / (b[round] ?? Number.NaN))).toFixed(2)

/** What a request costs outside of the kernel: the part that the server's own code decides. */
const ownCpu = ({ total }: Contender): number => (total.cpu - total.kernel) / total.requests

const { bare, ours, all, crowd } = await startAll()
try {
  const warmUp = async () => {
    for (const { server, requests } of all)
      await load({ port: server.port, requests, connections: CONNECTIONS, duration: WARM_UP })
  }
  await warmUp()
  for (const { server } of all) await server.collect()
  const idle = rssOf(ours.server.pid)
  await warmUp()
  for (let round = 0; round < ROUNDS; round++) {
    // Forwards and backwards: what disturbs grows or ends while a round runs.
    for (const one of round % 2 === 0 ? all : all.toReversed()) await measure(one)
  }
  console.log(
    `${ROUNDS} rounds of ${DURATION} ms in turn, ${CONNECTIONS} connections, after a major collection; median (least–most)`,
  )
  for (const { name, perSecond, cpu, p99 } of all)
    console.log(
      `${name.padEnd(24)} requests/s ${spread(perSecond).padEnd(22)} CPU µs ${spread(cpu, 1).padEnd(18)} p99 ms ${spread(p99, 2).padEnd(20)} | to bare: requests/s ${ratio(perSecond, bare.perSecond)}, CPU ${ratio(cpu, bare.cpu)}, p99 ${ratio(p99, bare.p99)}`,
    )
  for (const one of all)
    console.log(
      `${one.name.padEnd(24)} CPU µs outside of the kernel ${ownCpu(one).toFixed(1)}, to bare ${(ownCpu(one) / ownCpu(bare)).toFixed(2)}; in the kernel ${(one.total.kernel / one.total.requests).toFixed(1)}`,
    )
  console.log('promise for a household: requests/s ≥ 1.3, p99 ≤ 1')
  const [few, many] = crowd
  if (few !== undefined && many !== undefined)
    console.log(
      `10,000 rules on one host / 10: requests/s ${ratio(many.perSecond, few.perSecond)} (promise ≥ 0.9), CPU ${ratio(many.cpu, few.cpu)}`,
    )

  let asked = 0
  while (asked < 1_000_000)
    asked += (
      await load({
        port: ours.server.port,
        requests: ours.requests,
        connections: CONNECTIONS,
        duration: 5000,
      })
    ).answers
  console.log(
    `RSS: after a collection ${idle.toFixed(0)} MB, after a million verifies ${rssOf(ours.server.pid).toFixed(0)} MB`,
  )
} finally {
  for (const { server } of all) await server.stop()
}
