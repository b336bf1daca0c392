/**
 * argon2id: the two libraries of passwords/argon2-binding.ts and Node's own, against the reference's program (Debian's
 * package argon2, when it is installed). Wall time is what this machine gave us; processor time is what the hash took,
 * whatever else ran.
 *
 *   node bench/argon2.ts [rounds=7]
 */
import { execFileSync } from 'node:child_process'
import * as crypto from 'node:crypto'
import { availableParallelism } from 'node:os'
import { type Argon2Binding, bindings } from '../src/features/passwords/argon2-binding.ts'
import type { Argon2Parameters } from '../src/features/passwords/index.ts'
import { median, spread } from './processes.ts'

const ROUNDS = Number(process.argv[2] ?? 7)
const CORES = availableParallelism()
const SALT = 'somesaltsomesalt'

/** Both in milliseconds, for one hash. */
interface Cost {
  readonly wall: number
  readonly cpu: number
}
interface Contender {
  readonly name: string
  /** So many hashes, `parallel` of them at a time. */
  run(parameters: Argon2Parameters, hashes: number, parallel: number): Promise<Cost>
}

function library({ name, derive }: Argon2Binding): Contender {
  return {
    name,
    async run(parameters, hashes, parallel) {
      const start = performance.now()
      const before = process.cpuUsage()
      await Promise.all(
        Array.from({ length: parallel }, async () => {
          for (let i = 0; i < hashes / parallel; i++)
            await derive('password', parameters, Buffer.from(SALT))
        }),
      )
      const { user, system } = process.cpuUsage(before)
      return { wall: (performance.now() - start) / hashes, cpu: (user + system) / 1000 / hashes }
    },
  }
}

const nodes: Argon2Binding = {
  name: "node:crypto's argon2",
  derive: (password, { variant, memory, iterations, parallelism, keyLength }, salt) =>
    new Promise((resolve, reject) => {
      crypto.argon2(
        variant,
        {
          message: password,
          nonce: salt,
          parallelism,
          tagLength: keyLength,
          memory,
          passes: iterations,
        },
        (error, key) => (error === null ? resolve(key) : reject(error)),
      )
    }),
}

/** One hash a process; what a process costs that hashes next to nothing is taken off. */
const program: Contender = {
  name: "Debian's argon2",
  async run(parameters, hashes, parallel) {
    const all = shell(parameters, hashes, parallel)
    const start = shell(
      { ...parameters, memory: 8 * parameters.parallelism, iterations: 1 },
      hashes,
      parallel,
    )
    return { wall: all.wall - start.wall, cpu: all.cpu - start.cpu }
  },
}

function shell(
  { memory, iterations, parallelism }: Argon2Parameters,
  hashes: number,
  parallel: number,
): Cost {
  const one = `echo -n password | argon2 ${SALT} -id -k ${memory} -t ${iterations} -p ${parallelism} -l 32 -r`
  const many = `i=0; while [ $i -lt ${hashes / parallel} ]; do ${one}; i=$((i+1)); done`
  const script = `${Array.from({ length: parallel }, () => `(${many}) &`).join(' ')} wait; times`
  const start = performance.now()
  const said = execFileSync('sh', ['-c', script], { encoding: 'utf8' })
  const wall = (performance.now() - start) / hashes
  // The last line: user and system time of the children, 0m1.23s each.
  const times =
    said
      .trim()
      .split('\n')
      .at(-1)
      ?.matchAll(/(\d+)m([\d.]+)s/g) ?? []
  let seconds = 0
  for (const [, minutes, rest] of times) seconds += Number(minutes) * 60 + Number(rest)
  return { wall, cpu: (seconds * 1000) / hashes }
}

function isInstalled(): boolean {
  try {
    execFileSync('sh', ['-c', 'command -v argon2'])
    return true
  } catch {
    return false
  }
}

const contenders: Contender[] = []
for (const bind of bindings) {
  try {
    contenders.push(library(await bind()))
  } catch {
    console.log('one of the libraries does not load here')
  }
}
if ('argon2' in crypto) contenders.push(library(nodes))
if (isInstalled()) contenders.push(program)
else console.log("the reference is left out: Debian's package argon2 is not installed")

for (const [memory, iterations, parallelism, hashes] of [
  [65_536, 3, 4, 4],
  [19_456, 2, 1, 16],
] as const) {
  const lengths = { keyLength: 32, saltLength: SALT.length }
  const parameters = { variant: 'argon2id', memory, iterations, parallelism, ...lengths } as const
  for (const parallel of new Set([1, CORES])) {
    const costs = new Map(contenders.map(({ name }): [string, Cost[]] => [name, []]))
    for (let round = 0; round <= ROUNDS; round++) {
      for (const { name, run } of contenders) {
        const cost = await run(parameters, hashes * parallel, parallel)
        // The first round loads and warms.
        if (round > 0) costs.get(name)?.push(cost)
      }
    }
    console.log(
      `\nargon2id m=${memory / 1024} MiB t=${iterations} p=${parallelism}, ${parallel} at a time, ${CORES} cores; ${ROUNDS} alternating rounds; median (least–most)`,
    )
    const rates = new Map<string, number>()
    const cpus = new Map<string, number>()
    for (const [name, measured] of costs) {
      const rate = measured.map(({ wall }) => 1000 / wall)
      rates.set(name, median(rate))
      const cpu = measured.map((cost) => cost.cpu)
      cpus.set(name, median(cpu))
      console.log(`${name.padEnd(20)} ${spread(rate, 1)} hashes/s, ${spread(cpu)} ms of processor`)
    }
    const [used] = contenders
    if (used === undefined || !costs.has(program.name)) continue
    const ratio = (of: ReadonlyMap<string, number>) =>
      (of.get(used.name) ?? 0) / (of.get(program.name) ?? 0)
    console.log(
      `${used.name} / reference: ${ratio(rates).toFixed(2)} of its hashes/s (promise ≥ 1) for ${ratio(cpus).toFixed(2)} of its processor time`,
    )
  }
}
