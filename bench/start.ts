/**
 * Cold start: `node src/main.ts` on an existing data directory against a trivial Fastify, and the memory of both.
 *
 *   node bench/start.ts [rounds=7]
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { median, rssOf, spread, startBaseline, startVestibule } from './processes.ts'

const ROUNDS = Number(process.argv[2] ?? 7)
const folder = mkdtempSync(join(tmpdir(), 'vestibule-bench-'))
const rules = { default_policy: 'one_factor' }
// The first start makes the data directory and hashes a password; it does not count.
await (await startVestibule(rules, { folder, keep: true, flags: [] })).stop()

const trivial: number[] = []
const ours: number[] = []
let memory = { trivial: 0, ours: 0 }
for (let round = 0; round < ROUNDS; round++) {
  const a = await startBaseline('trivial')
  const b = await startVestibule(rules, { folder, keep: true, flags: [] })
  trivial.push(a.started)
  ours.push(b.started)
  memory = { trivial: rssOf(a.pid), ours: rssOf(b.pid) }
  await a.stop()
  await b.stop()
}
rmSync(folder, { recursive: true, force: true })
console.log(`cold start, ${ROUNDS} alternating rounds; median (least–most)`)
console.log(`trivial Fastify ${spread(trivial)} ms, ${memory.trivial.toFixed(0)} MB`)
console.log(`Vestibule       ${spread(ours)} ms, ${memory.ours.toFixed(0)} MB`)
console.log(`ratio ${(median(ours) / median(trivial)).toFixed(2)} (promise ≤ 3.5)`)
