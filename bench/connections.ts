/**
 * What a connection costs: verify over connections that stay, and over one for each request, ours and a bare Fastify. Every
 * server has had the same warm-up and a major garbage collection; rounds in turn, medians of the ratios within a round.
 *
 *   node bench/connections.ts [rounds=15] [milliseconds a round=400]
 */
import { connect } from 'node:net'
import { browserRequests, householdRules } from './browser.ts'
import { load } from './load.ts'
import { cpuOf, type Measured, median, spread, startBaseline, startVestibule } from './processes.ts'

const ROUNDS = Number(process.argv[2] ?? 15)
const DURATION = Number(process.argv[3] ?? 400)
const CONNECTIONS = 16

/** One request, one connection: answers within the time. */
async function loadAnew(port: number, requests: readonly Buffer[]): Promise<number> {
  const until = performance.now() + DURATION
  let answers = 0
  const once = (): Promise<void> =>
    new Promise((resolve, reject) => {
      const socket = connect({ port, host: '127.0.0.1', noDelay: true })
      socket.write(requests[answers % requests.length] ?? '')
      socket.once('data', (chunk) => {
        if (!chunk.toString('latin1', 0, 12).endsWith('200')) reject(new Error(chunk.toString()))
        answers++
        socket.end()
      })
      socket.once('close', () => resolve())
      socket.once('error', reject)
    })
  await Promise.all(
    Array.from({ length: CONNECTIONS }, async () => {
      while (performance.now() < until) await once()
    }),
  )
  return answers
}

interface Contender {
  readonly name: string
  readonly server: Measured
  readonly requests: readonly Buffer[]
  readonly kept: number[]
  readonly anew: number[]
}

const household = householdRules('bench.localhost')
const bare = await startBaseline()
const ours = await startVestibule(household.accessControl)
const contender = (name: string, server: Measured, cookie: string): Contender => ({
  name,
  server,
  requests: browserRequests(cookie, household.hosts),
  kept: [],
  anew: [],
})
const all = [
  contender('bare Fastify', bare, `vestibule_session=${'A'.repeat(43)}`),
  contender('verify', ours, ours.cookie),
]
const keepAlive = async ({ server: { port }, requests }: Contender): Promise<number> =>
  (await load({ port, requests, connections: CONNECTIONS, duration: DURATION })).answers
const ratio = (a: readonly number[], b: readonly number[]): string =>
  median(a.map((one, round) => one / (b[round] ?? Number.NaN))).toFixed(2)
try {
  const warmUp = async (one: Contender) => {
    for (let i = 0; i < 5; i++) {
      await keepAlive(one)
      await loadAnew(one.server.port, one.requests)
    }
  }
  for (const one of all) await warmUp(one)
  for (const { server } of all) await server.collect()
  for (const one of all) await warmUp(one)
  for (let round = 0; round < ROUNDS; round++) {
    for (const one of round % 2 === 0 ? all : all.toReversed()) {
      const before = cpuOf(one.server.pid)
      const kept = await keepAlive(one)
      const between = cpuOf(one.server.pid)
      const anew = await loadAnew(one.server.port, one.requests)
      one.kept.push((between - before) / kept)
      one.anew.push((cpuOf(one.server.pid) - between) / anew)
    }
  }
  for (const { name, kept, anew } of all)
    console.log(
      `${name.padEnd(14)} CPU µs a request: connection kept ${spread(kept, 1)}, opened anew ${spread(anew, 1)}; anew / kept ${ratio(anew, kept)}`,
    )
  const [first, second] = all
  if (first !== undefined && second !== undefined)
    console.log(
      `verify / bare Fastify: kept ${ratio(second.kept, first.kept)}, anew ${ratio(second.anew, first.anew)}`,
    )
} finally {
  for (const { server } of all) await server.stop()
}
