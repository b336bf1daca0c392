/**
 * The fuzz drill of the portal: mutated requests at its pages, forms and API, on the real server. No 5xx, no hang, no
 * session without the password, no way out of the cookie domains, no answer without its headers.
 *
 *     npm run drill:portal -- [--seed N] [--size N]
 *
 * Ends with status 1 and the smallest request that shows it when a promise is broken.
 */
import { probe } from './connections.ts'
import { methodOf } from './exchange.ts'
import { minimise, spell } from './findings.ts'
import { type Piece, readRequests } from './http.ts'
import { createCleanup, type DrillOptions, readOptions } from './options.ts'
import { judgePortal } from './portal-judge.ts'
import { createPortalQuestions, type PortalQuestion } from './portal-questions.ts'
import { openScene, type Scene } from './scene.ts'

const PARALLEL = 24
const EXAMPLES = 3
const PROGRESS = 50_000
/** Without so many of each the drill has shown nothing. Shares of all answers. */
const LEAST = { 200: 0.1, 302: 0.005, 303: 0.02, 401: 0.02, 403: 0.02, 404: 0.01 } as const

interface Kind {
  count: number
  readonly examples: PortalQuestion[]
}

/** Asks over a connection of its own. @returns the statuses that came, and what is wrong with them */
async function ask({ port, cookies }: Scene, bytes: string) {
  const pieces: readonly Piece[] = readRequests(bytes)
  const { answers, hung, garbled } = await probe({
    port,
    peer: '127.0.0.1',
    bytes,
    toHead: (n) => methodOf(pieces[n]) === 'HEAD',
    due: pieces.filter(({ kind }) => kind === 'request').length,
  })
  const wrong = answers
    .map((answer) => judgePortal(bytes, answer, cookies))
    .filter((one) => one !== undefined)
  if (hung) wrong.push('hang')
  if (garbled !== undefined) wrong.push('garbled')
  return { statuses: answers.map(({ status }) => status), wrong }
}

async function drill({ seed, size }: DrillOptions, scene: Scene) {
  const questionOf = createPortalQuestions(seed, scene.cookies)
  const kinds = new Map<string, Kind>()
  const counts: Record<number, number> = {}
  let index = 0
  const started = performance.now()
  const work = async (): Promise<void> => {
    while (index < size) {
      if (index > 0 && index % PROGRESS === 0) console.log(`${index} asked`)
      const question = questionOf(index++)
      const { statuses, wrong } = await ask(scene, question.bytes)
      for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1
      for (const name of wrong) {
        const kind = kinds.get(name) ?? { count: 0, examples: [] }
        kind.count++
        if (kind.examples.length < EXAMPLES) kind.examples.push(question)
        kinds.set(name, kind)
      }
    }
  }
  await Promise.all(Array.from({ length: PARALLEL }, work))
  return { kinds, counts, seconds: (performance.now() - started) / 1000 }
}

/** @returns how much is wrong */
async function report(
  { seed, size }: DrillOptions,
  scene: Scene,
  { kinds, counts, seconds }: Awaited<ReturnType<typeof drill>>,
): Promise<number> {
  console.log(`${size} requests in ${seconds.toFixed(1)} s (${Math.round(size / seconds)}/s)`)
  const statuses = Object.entries(counts).map(([status, count]) => `${status}: ${count}`)
  console.log(statuses.join('  '))
  for (const [name, { count, examples }] of kinds) {
    console.log(`\nviolation: ${name}: ${count}`)
    for (const { index, bytes } of examples) {
      const smallest = await minimise(bytes, async (shorter) =>
        (await ask(scene, shorter)).wrong.includes(name),
      )
      console.log(`  --seed ${seed}, request ${index}\n  ${spell(smallest, scene.cookies)}`)
    }
  }
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0)
  const broken = [
    ...scene.server.complaints.map((line) => `in the log: ${line}`),
    ...Object.entries(LEAST)
      .filter(([status, share]) => (counts[Number(status)] ?? 0) < share * total)
      .map(([status]) => `hardly any ${status}: nothing is shown`),
  ]
  for (const one of broken) console.log(`\nviolation: ${one}`)
  return [...kinds.values()].reduce((sum, { count }) => sum + count, 0) + broken.length
}

const options = readOptions(200_000)
console.log(`drill:portal --seed ${options.seed} --size ${options.size}`)
const cleanup = createCleanup()
try {
  const scene = await openScene(cleanup)
  const wrong = await report(options, scene, await drill(options, scene))
  console.log(`\n${wrong} violations\n${wrong === 0 ? 'passed' : 'FAILED'}`)
  process.exitCode = wrong === 0 ? 0 : 1
} finally {
  await cleanup.run()
}
