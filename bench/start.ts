/**
 * Cold start and memory: what the image runs (dist/), what a checkout runs without a bundle (src/), and dist/ with 10,000
 * rules, against a trivial Fastify, in interleaved rounds. Memory is read once the server has been idle for a while.
 *
 *   npm run build && node bench/start.ts [rounds=7]
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  cpuOf,
  DIST,
  type Measured,
  median,
  rssOf,
  spread,
  startTrivial,
  startVestibule,
} from './processes.ts'

const ROUNDS = Number(process.argv[2] ?? 7)
/** Ours gives memory back a second after its start. */
const IDLE = 2_500
if (!existsSync(DIST)) throw new Error('npm run build comes first')

const few = { default_policy: 'one_factor' }
const many = {
  default_policy: 'deny',
  rules: Array.from({ length: 10_000 }, (_, n) => ({
    domain: `app${n}.bench.localhost`,
    resources: [`^/a${n}/.*$`],
    policy: 'one_factor',
  })),
}

const folders: string[] = []
/** Starts on a data directory of its own, which a start that does not count has made. */
async function starter(rules: unknown, main?: string): Promise<() => Promise<Measured>> {
  const folder = mkdtempSync(join(tmpdir(), 'vestibule-bench-'))
  folders.push(folder)
  const start = () =>
    startVestibule(rules, { folder, keep: true, flags: [], ...(main !== undefined && { main }) })
  await (await start()).stop()
  return start
}

const cases = {
  'trivial Fastify': startTrivial,
  'dist/': await starter(few, DIST),
  'src/': await starter(few),
  'dist/, 10,000 rules': await starter(many, DIST),
}

interface Figures {
  readonly ms: number[]
  readonly cpu: number[]
  readonly mb: number[]
}
const figures = new Map<string, Figures>()
for (let round = 0; round < ROUNDS; round++) {
  for (const [name, start] of Object.entries(cases)) {
    const server = await start()
    const cpu = cpuOf(server.pid) / 1000
    await sleep(IDLE)
    const found = figures.get(name) ?? { ms: [], cpu: [], mb: [] }
    figures.set(name, found)
    found.ms.push(server.started)
    found.cpu.push(cpu)
    found.mb.push(rssOf(server.pid))
    await server.stop()
  }
}
for (const folder of folders) rmSync(folder, { recursive: true, force: true })

console.log(`${ROUNDS} interleaved rounds; median (least–most)`)
for (const [name, { ms, cpu, mb }] of figures)
  console.log(`${name.padEnd(20)} ${spread(ms)} ms, CPU ${spread(cpu)} ms, idle ${spread(mb)} MB`)
const middle = (name: keyof typeof cases) => median(figures.get(name)?.ms ?? [])
console.log(
  `first answer ${(middle('dist/') / middle('trivial Fastify')).toFixed(2)} × (promise ≤ 2), ` +
    `10,000 rules ${(middle('dist/, 10,000 rules') / middle('dist/')).toFixed(2)} × the start (promise ≤ 1.5); ` +
    'idle ≤ 80 MB, ≤ 120 MB with the rules',
)
