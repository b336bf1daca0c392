/**
 * The part of the enumeration drill that asks in bursts: attempts on one name are checked one after another, so that the
 * time of the last of sixteen answers is that of sixteen checks. Without care it tells sixteen times as much as one does.
 */
import { PASSWORD } from '../support/server.ts'
import { judge } from './classify.ts'
import {
  type Costs,
  type Kind,
  type Line,
  openLine,
  openServer,
  signIn,
} from './enumeration-scene.ts'
import type { Cleanup } from './options.ts'
import type { Random } from './random.ts'

/** A cheap digest, nobody, and a digest that costs several times as much. */
const KINDS = ['known', 'unknown', 'other-scheme'] as const satisfies readonly Kind[]
type BurstKind = (typeof KINDS)[number]
/** Quick ones, for there are many: what counts is how many times one is the other. */
const COSTS: Costs = { argon2: { memory: 4096, iterations: 2 }, rounds: 60_000 }
const BURST = 16
/** With fewer bursts of a kind no classifier can be judged; their ratio can. */
const FEW = 100
/** How much longer than another one kind may take, by the median of all rounds. By the digests alone it is four times. */
const MOST_RATIO = 1.5

/** @returns whether no two kinds are told apart */
export async function enumerateByBursts({
  size,
  random,
  cleanup,
}: {
  readonly size: number
  readonly random: Random
  readonly cleanup: Cleanup
}): Promise<boolean> {
  const count = Math.max(3, Math.floor(size / 8))
  console.log(`bursts: ${count} of each of ${KINDS.length} kinds, ${BURST} attempts at once`)
  const port = await openServer(cleanup, COSTS)
  const lines = await Promise.all(Array.from({ length: BURST }, () => openLine(port)))
  cleanup.after(() => {
    for (const line of lines) line.close()
  })
  for (const [i, line] of lines.entries()) await line.ask(signIn(port, 'known', PASSWORD, place(i)))

  const lasts: Record<BurstKind, number[]> = { known: [], unknown: [], 'other-scheme': [] }
  let asked = lines.length
  const burst = async (kind: BurstKind): Promise<number> => {
    const attempts = lines.map((line: Line) =>
      line.ask(signIn(port, kind, `wrong ${random.below(1e9)}`, place(asked++))),
    )
    return Math.max(...(await Promise.all(attempts)).map(({ took }) => took))
  }
  // The first ones teach the server what checks take.
  for (const kind of KINDS) await burst(kind)
  for (let round = 0; round < count; round++)
    for (const kind of random.shuffle([...KINDS])) lasts[kind].push(await burst(kind))
  return judgeBursts(lasts, count)
}

/** An address that nothing came from before. */
const place = (i: number): string =>
  `2001:db8:${(i >> 16).toString(16)}:${(i & 0xffff).toString(16)}::1`

function judgeBursts(lasts: Readonly<Record<BurstKind, number[]>>, count: number): boolean {
  let ok = true
  for (const kind of KINDS)
    console.log(`burst, ${kind}: the last answer after ${median(lasts[kind]).toFixed(1)} ms (p50)`)
  for (const [i, first] of KINDS.entries())
    for (const second of KINDS.slice(i + 1)) {
      // Within a round the machine is as busy for the one as for the other.
      const ratios = lasts[first].map((last, round) => last / (lasts[second][round] ?? last))
      const ratio = Math.max(median(ratios), 1 / median(ratios))
      const tells = ratio > MOST_RATIO
      ok &&= !tells
      console.log(
        `burst, ${first} / ${second}: ${ratio.toFixed(2)} times${tells ? ' TOLD APART' : ''}`,
      )
      if (count < FEW) continue
      for (const { classifier, auc } of judge(lasts[first], lasts[second])) {
        const apart = auc > mostArea(count / 2)
        ok &&= !apart
        const verdict = apart ? ' TOLD APART' : ''
        console.log(`burst, ${first} / ${second}: ${classifier} ${auc.toFixed(3)}${verdict}`)
      }
    }
  return ok
}

/** 0.55, or three standard deviations from a coin's area where chance alone goes further (Mann and Whitney). */
const mostArea = (judged: number): number =>
  Math.max(0.55, 0.5 + 3 * Math.sqrt((2 * judged + 1) / (12 * judged * judged)))

const median = (list: readonly number[]): number =>
  list.toSorted((a, b) => a - b)[list.length >> 1] ?? 0
