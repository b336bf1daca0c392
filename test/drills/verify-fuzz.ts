/**
 * The fuzz drill: a million mutated verify requests against the real server. No 5xx, no hang, no 2xx that the reference
 * refuses; and nothing refused that the reference lets in.
 *
 *     npm run drill:verify -- [--seed N] [--size N]
 *
 * Ends with status 1 and the smallest request that shows it when a promise is broken.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import { type Order, openLane, stall } from './connections.ts'
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
/** Requests that never end: the server has to end them. Node looks for them every 30 seconds. */
const STALLED = 8
const STALLED_SECONDS = 60
/** A long run says how far it is. */
const PROGRESS = 100_000
/** Without so many of each the drill has shown nothing. Shares of all requests. */
const LEAST = { 200: 0.05, 302: 0.002, 303: 0.0005, 400: 0.05, 401: 0.02, 403: 0.01 } as const

/** A line of the log about one of the endpoints. */
const OURS =
  / path="?\/(?:(?:verify|api\/authz\/(?:auth-request|forward-auth))(?=[\s"]|$)|(?:api\/verify|api\/authz\/ext-authz)(?=[\s"/]|$))/

async function drill({ seed, size }: DrillOptions, { port, world, cookies }: Scene) {
  const questionOf = createQuestions(seed, cookies)
  const findings = createFindings()
  const statuses: Record<string, number> = {}
  const started = performance.now()
  let index = 0
  let alone = 0
  let probing = 0
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
      if (index > 0 && index % PROGRESS === 0)
        console.log(`${index} asked, ${Math.round((performance.now() - started) / 1000)} s`)
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
    openLane({ port, depth: DEPTH, next, isOver: () => index >= size }),
  )
  const fillAll = () => {
    for (const lane of lanes) lane.fill()
  }
  const stalled = Array.from({ length: STALLED }, (_, i) => {
    const { bytes } = questionOf(-1 - i)
    return stall(port, bytes.slice(0, Math.min(bytes.indexOf('\r\n\r\n'), 20 + i * 40)))
  })
  fillAll()
  await Promise.all(lanes.map(({ ended }) => ended))
  while (probing > 0) await sleep(20)
  const seconds = (performance.now() - started) / 1000
  const ends = stalled.map((one) => one.answer())
  for (const one of stalled) one.close()
  return { findings, statuses, alone, seconds, ends }
}

/** @returns how much is wrong */
async function report(
  { seed, size }: DrillOptions,
  { port, world, cookies, server }: Scene,
  { findings, statuses, alone, seconds, ends }: Awaited<ReturnType<typeof drill>>,
): Promise<number> {
  console.log(
    `${size} requests in ${seconds.toFixed(1)} s (${Math.round(size / seconds)}/s), ${alone} on connections of their own`,
  )
  console.log(
    Object.entries(statuses)
      .map(([status, count]) => `${status}: ${count}`)
      .join('  '),
  )
  const patience = ends.filter((end) => end?.startsWith('HTTP/1.1 408')).length
  console.log(`${patience} of ${STALLED} requests without an end had their 408`)
  for (const [kind, { count, weight, examples }] of findings.kinds()) {
    console.log(`\n${weight}: ${kind}: ${count}`)
    for (const { question, finding } of examples) {
      const smallest = await minimise(question.bytes, async (bytes) => {
        const found = await ask(port, readQuestion({ ...question, bytes }, world))
        return found.some((one) => one.kind === kind)
      })
      console.log(`  --seed ${seed}, request ${question.index}: ${finding.detail}`)
      console.log(`  ${spell(smallest, cookies)}`)
    }
  }
  const broken = [
    // A short run is over before the server has lost its patience.
    ...ends
      .filter((end) =>
        end === undefined
          ? seconds > STALLED_SECONDS
          : !/^(?:HTTP\/1\.1 4(?:00|08|31) |$)/.test(end),
      )
      .map((end) => `a request without an end is ${end ?? 'left open'}`),
    ...server.complaints.filter((line) => OURS.test(line)).map((line) => `in the log: ${line}`),
    ...Object.entries(LEAST)
      .filter(([status, share]) => (statuses[status] ?? 0) < share * size)
      .map(([status]) => `hardly any ${status}: nothing is shown`),
  ]
  for (const one of broken) console.log(`\nviolation: ${one}`)
  const violations = findings.count('violation') + broken.length
  const differences = findings.count('difference')
  console.log(`\n${violations} violations, ${differences} differences`)
  return violations + differences
}

const options = readOptions(1_000_000)
console.log(`drill:verify --seed ${options.seed} --size ${options.size}`)
rememberPatterns()
const cleanup = createCleanup()
try {
  const scene = await openScene(cleanup)
  const wrong = await report(options, scene, await drill(options, scene))
  console.log(wrong === 0 ? 'passed' : 'FAILED')
  process.exitCode = wrong === 0 ? 0 : 1
} finally {
  await cleanup.run()
}
