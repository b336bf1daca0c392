/**
 * The fuzz drill: a million mutated verify requests against the real server. No 5xx, no hang, no 2xx that the reference
 * refuses; and nothing refused that the reference lets in.
 *
 *     npm run drill:verify -- [--seed N] [--size N]
 *
 * Ends with status 1 and the smallest request that shows it when a promise is broken.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Order, openLane } from './connections.ts'
import { ask, methodOf, type Reading, readQuestion } from './exchange.ts'
import { createFindings, minimise, spell } from './findings.ts'
import { judge } from './judge.ts'
import { createCleanup, type DrillOptions, readOptions } from './options.ts'
import { createQuestions } from './questions.ts'
import { rememberPatterns } from './reference.ts'
import { openScene, type Scene } from './scene.ts'

const LANES = 6
const DEPTH = 12
/** Questions with a connection of their own: so many at a time, and so many that may wait before the lanes do. */
const PROBES = 16
const MAX_WAITING = 200
/** Without so many of each the drill has shown nothing. Shares of all requests. */
const LEAST = { 200: 0.05, 302: 0.002, 303: 0.0005, 400: 0.05, 401: 0.02, 403: 0.01 } as const

async function drill({ seed, size }: DrillOptions, { port, world, cookies }: Scene) {
  const questionOf = createQuestions(seed, cookies)
  const findings = createFindings()
  const statuses: Record<string, number> = {}
  let index = 0
  let alone = 0
  let probing = 0
  const stop = false
  const waiting: Reading[] = []

  const count = (what: string | number) => {
    statuses[what] = (statuses[what] ?? 0) + 1
  }
  async function probeWaiting(): Promise<void> {
    probing++
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      alone++
      for (const finding of await ask(port, one)) findings.add(one.question, finding)
      if (waiting.length < MAX_WAITING / 2) fillAll()
    }
    probing--
    fillAll()
  }
  function putAside(reading: Reading): void {
    waiting.push(reading)
    if (probing < PROBES) void probeWaiting()
  }
  function next(): Order | undefined {
    while (index < size && waiting.length < MAX_WAITING) {
      const reading = readQuestion(questionOf(index++), world)
      const { question, dues, pieces, isTame } = reading
      const [due] = dues
      if (!isTame || question.peer !== '127.0.0.1' || due === undefined) {
        putAside(reading)
        continue
      }
      return {
        bytes: question.bytes,
        isHead: methodOf(pieces[0]) === 'HEAD',
        answered(answer) {
          count(answer.status)
          const finding = judge(due, answer)
          if (finding !== undefined) findings.add(question, finding)
        },
        unanswered: () => putAside(reading),
      }
    }
    return undefined
  }
  const lanes = Array.from({ length: LANES }, () =>
    openLane({ port, depth: DEPTH, next, isOver: () => index >= size || stop }),
  )
  const fillAll = () => {
    for (const lane of lanes) lane.fill()
  }
  const started = performance.now()
  fillAll()
  await Promise.all(lanes.map(({ ended }) => ended))
  while (probing > 0) await sleep(20)
  return { findings, statuses, alone, seconds: (performance.now() - started) / 1000, questionOf }
}

const options = readOptions(1_000_000)
const { seed, size } = options
console.log(`drill:verify --seed ${seed} --size ${size}`)
rememberPatterns()
const cleanup = createCleanup()
try {
  const scene = await openScene(cleanup)
  const { findings, statuses, alone, seconds } = await drill(options, scene)
  const perSecond = Math.round(size / seconds)
  console.log(
    `${size} requests in ${seconds.toFixed(1)} s (${perSecond}/s), ${alone} on connections of their own`,
  )
  console.log(
    Object.entries(statuses)
      .map(([status, count]) => `${status}: ${count}`)
      .join('  '),
  )
  for (const [kind, { count, weight, examples }] of findings.kinds()) {
    console.log(`\n${weight}: ${kind}: ${count}`)
    for (const { question, finding } of examples) {
      const smallest = await minimise(question.bytes, async (bytes) => {
        const found = await ask(scene.port, readQuestion({ ...question, bytes }, scene.world))
        return found.some((one) => one.kind === kind)
      })
      console.log(`  --seed ${seed}, request ${question.index}: ${finding.detail}`)
      console.log(`  ${spell(smallest, scene.cookies)}`)
    }
  }
  // A page that failed was remarked upon above.
  const errors = scene.server.complaints.filter((line) =>
    / path="?\/(?:verify|api\/verify|api\/authz\/(?:auth-request|forward-auth|ext-authz))(?=[\s"/]|$)/.test(
      line,
    ),
  )
  for (const line of errors.slice(0, 5)) console.log(`\nviolation: in the log: ${line}`)
  const missing = Object.entries(LEAST).filter(
    ([status, share]) => (statuses[status] ?? 0) < share * size,
  )
  for (const [status] of missing) console.log(`\nviolation: hardly any ${status}: nothing is shown`)
  const bad =
    findings.count('violation') + findings.count('difference') + errors.length + missing.length
  console.log(
    `\n${findings.count('violation')} violations, ${findings.count('difference')} differences: ${bad === 0 ? 'passed' : 'FAILED'}`,
  )
  process.exitCode = bad === 0 ? 0 : 1
} finally {
  await cleanup.run()
}
