/**
 * What a verify answer costs each proxy: the same question, asked the way each of them asks it. Alternating rounds,
 * medians.
 *
 *   node bench/dialects.ts [rounds=9] [milliseconds a round=1000]
 */
import { load, request } from './load.ts'
import { cpuOf, median, spread, startVestibule } from './processes.ts'

const ROUNDS = Number(process.argv[2] ?? 9)
const DURATION = Number(process.argv[3] ?? 1000)
const HOST = 'app.bench.localhost'
const URI = '/app/page?x=1'

const server = await startVestibule({
  default_policy: 'deny',
  rules: [{ domain: HOST, policy: 'one_factor' }],
})
/** What every proxy passes on of a browser's request. */
const browser = {
  Accept: 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8',
  'Accept-Language': 'en-US,en;q=0.5',
  'User-Agent': 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'X-Forwarded-For': '203.0.113.7',
  Cookie: `theme=dark; ${server.cookie}; other=1`,
}
const original = { 'X-Original-URL': `https://${HOST}${URI}`, 'X-Original-Method': 'GET' }
const forwarded = {
  'X-Forwarded-Method': 'GET',
  'X-Forwarded-Proto': 'https',
  'X-Forwarded-Host': HOST,
  'X-Forwarded-Uri': URI,
}
const questions = {
  'nginx (/verify)': request('/verify', { ...original, ...browser }),
  'nginx (auth-request)': request('/api/authz/auth-request', { ...original, ...browser }),
  'Traefik, Caddy, HAProxy': request('/api/authz/forward-auth', { ...forwarded, ...browser }),
  Envoy: request(`/api/authz/ext-authz${URI}`, {
    Host: HOST,
    'X-Forwarded-Proto': 'https',
    ...browser,
  }),
}
const perSecond: Record<string, number[]> = {}
const cpu: Record<string, number[]> = {}
try {
  // The first round warms up and does not count; after it, a collection as any server has had after a while.
  for (let round = 0; round <= ROUNDS; round++) {
    if (round === 1) await server.collect()
    for (const [name, question] of Object.entries(questions)) {
      const before = cpuOf(server.pid)
      const result = await load({
        port: server.port,
        requests: [question],
        connections: 32,
        duration: DURATION,
      })
      if (Object.keys(result.statuses).join() !== '200')
        throw new Error(`${name} answered ${JSON.stringify(result.statuses)}`)
      if (round === 0) continue
      const used = (cpuOf(server.pid) - before) / result.answers
      perSecond[name] = [...(perSecond[name] ?? []), result.perSecond]
      cpu[name] = [...(cpu[name] ?? []), used]
    }
  }
  console.log(`${ROUNDS} alternating rounds of ${DURATION} ms; median (least–most)`)
  for (const name of Object.keys(questions))
    console.log(
      `${name.padEnd(24)} requests/s ${spread(perSecond[name] ?? []).padEnd(24)} CPU µs/request ${spread(cpu[name] ?? [], 1)}`,
    )
  const costs = Object.values(cpu).map(median)
  console.log(
    `dearest / cheapest: CPU ${(Math.max(...costs) / Math.min(...costs)).toFixed(2)} (promise ≤ 1.10)`,
  )
} finally {
  await server.stop()
}
