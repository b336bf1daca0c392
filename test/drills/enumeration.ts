/**
 * The enumeration drill: whether an answer tells which names exist. Wrong passwords for a known user, an unknown, a
 * disabled, a banned one and one whose digest is of another scheme, mixed, eight at a time, after twenty sign-ins; then
 * simple classifiers try to tell any two of them apart by the time of the answer. Bodies, headers, their order and what
 * becomes of the connection must be the same to the byte. Then the same by bursts: sixteen attempts on one name at once,
 * each from an address of its own, and the time of the last answer.
 *
 *     npm run drill:enumeration -- [--seed N] [--size N] [--only answers|bursts]
 *
 * Size is the number of failures of each kind; of bursts there is an eighth. Ends with status 1 when bytes differ, or when a
 * classifier does better than 0.55 (area under the curve); with fewer than a thousand of each, where chance alone reaches
 * that, better than 0.62. Of few bursts it is the median of their ratios that counts.
 */

import { PASSWORD } from '../support/server.ts'
import { judge } from './classify.ts'
import { enumerateByBursts } from './enumeration-bursts.ts'
import {
  type Costs,
  KINDS,
  type Kind,
  type Line,
  openLine,
  openServer,
  signIn,
} from './enumeration-scene.ts'
import { createCleanup, readOptions } from './options.ts'
import { createRandom } from './random.ts'

const AT_ONCE = 8
const COSTS: Costs = { argon2: { memory: 19_456, iterations: 2 }, rounds: 20_000 }

const { seed, size, only } = readOptions(2000)
const most = size < 1000 ? 0.62 : 0.55
const random = createRandom(seed)
const cleanup = createCleanup()
console.log(`enumeration: seed ${seed}, ${size} failures of each kind, ${AT_ONCE} at a time`)
try {
  const answers = only === 'bursts' || (await drill())
  const bursts = only === 'answers' || (await enumerateByBursts({ size, random, cleanup }))
  process.exitCode = answers && bursts ? 0 : 1
} finally {
  await cleanup.run()
}

async function drill(): Promise<boolean> {
  const port = await openServer(cleanup, COSTS, size < 1000 ? 4 : undefined)
  const lines = await Promise.all(Array.from({ length: AT_ONCE }, () => openLine(port)))
  cleanup.after(() => {
    for (const line of lines) line.close()
  })
  const each = async <T>(work: readonly T[], act: (line: Line, one: T) => Promise<void>) => {
    const left = [...work]
    const worker = async (line: Line) => {
      for (let one = left.pop(); one !== undefined; one = left.pop()) await act(line, one)
    }
    await Promise.all(lines.map(worker))
  }

  await each(new Array<string>(20).fill(PASSWORD), async (line, password) => {
    const { bytes } = await line.ask(signIn(port, 'known', password))
    if (!bytes.startsWith('HTTP/1.1 200')) throw new Error(`no sign-in:\n${bytes}`)
  })

  const times: Record<Kind, number[]> = {
    known: [],
    unknown: [],
    disabled: [],
    banned: [],
    'other-scheme': [],
  }
  const faces = new Map<string, Kind>()
  const attempts = random.shuffle(KINDS.flatMap((kind) => new Array<Kind>(size).fill(kind)))
  const began = performance.now()
  await each(attempts, async (line, kind) => {
    // Of the banned user the password is right: the answer must not say so.
    const password = kind === 'banned' ? PASSWORD : `wrong ${random.below(1e9)}`
    const answer = await line.ask(signIn(port, kind, password))
    times[kind].push(answer.took)
    faces.set(
      `${answer.stays ? 'stays' : 'closes'}\n${answer.bytes.replace(/^Date: .*$/m, 'Date')}`,
      kind,
    )
  })
  console.log(`${attempts.length} failures in ${Math.round((performance.now() - began) / 1000)} s`)

  let ok = true
  if (faces.size !== 1) {
    ok = false
    console.error(
      `answers differ:\n${[...faces].map(([face, kind]) => `${kind}: ${face}`).join('\n\n')}`,
    )
  }
  for (const kind of KINDS) console.log(describe(kind, times[kind]))
  for (const [i, first] of KINDS.entries())
    for (const second of KINDS.slice(i + 1))
      for (const { classifier, auc } of judge(times[first], times[second])) {
        const tells = auc > most
        if (tells) ok = false
        const verdict = tells ? ' TOLD APART' : ''
        console.log(`${first} / ${second}: ${classifier} ${auc.toFixed(3)}${verdict}`)
      }
  return ok
}

function describe(kind: Kind, list: readonly number[]): string {
  const sorted = [...list].sort((a, b) => a - b)
  const at = (part: number) => (sorted[Math.floor(part * (sorted.length - 1))] ?? 0).toFixed(1)
  return `${kind}: p5 ${at(0.05)} p50 ${at(0.5)} p95 ${at(0.95)} max ${at(1)} ms`
}
