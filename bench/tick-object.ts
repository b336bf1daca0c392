/**
 * Why a Node HTTP server is slower after a major garbage collection, in a page
 * (docs/decisions/004-one-tick-object-stays.md).
 *
 *   node bench/tick-object.ts
 *
 * Runs itself twice: as Node is, and with one tick object kept alive.
 */
import { spawnSync } from 'node:child_process'
import { keepTickObject } from '../src/server/tick-object.ts'

const CALLS = 2_000
const TURNS = 200
const ROUNDS = 7

const nothing = () => {}
const turn = () => new Promise((resolve) => setImmediate(resolve))

/** Nanoseconds for one `nextTick` and its callback; the quickest of some rounds. */
async function costOfTick(): Promise<number> {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const begun = performance.now()
    for (let i = 0; i < TURNS; i++) {
      await turn()
      for (let call = 0; call < CALLS; call++) process.nextTick(nothing)
    }
    await turn()
    best = Math.min(best, ((performance.now() - begun) * 1e6) / (CALLS * TURNS))
  }
  return best
}

/** The same with an object of our own: two computed keys in one literal are enough. */
function costOfLiteral(): number {
  let best = Number.POSITIVE_INFINITY
  for (let round = 0; round < ROUNDS; round++) {
    const begun = performance.now()
    for (let i = 0; i < 1e6; i++) last[0] = makeLiteral(i)
    best = Math.min(best, performance.now() - begun)
  }
  last.length = 0
  return best
}
const [one, two] = [Symbol('one'), Symbol('two')]
const makeLiteral = (value: number): object => ({ [one]: value, [two]: value, value })
const last: object[] = []

const mode = process.argv[2]
if (mode === undefined) {
  for (const which of ['as Node is', 'one tick object kept'])
    spawnSync(process.execPath, ['--expose-gc', import.meta.filename, which], { stdio: 'inherit' })
} else {
  if (mode !== 'as Node is') keepTickObject()
  const before = { tick: await costOfTick(), literal: costOfLiteral() }
  // From a timer: inside a callback of nextTick, its own tick object would be alive.
  await new Promise<void>((resolve) =>
    setTimeout(() => {
      for (let i = 0; i < 3; i++) globalThis.gc?.()
      resolve()
    }, 10),
  )
  const after = { tick: await costOfTick(), literal: costOfLiteral() }
  const ratio = (a: number, b: number) =>
    `${b.toFixed(0)} → ${a.toFixed(0)} (${(a / b).toFixed(1)} ×)`
  console.log(
    `Node ${process.version}, ${mode}: nextTick ns ${ratio(after.tick, before.tick)}, literal of our own ns ${ratio(after.literal, before.literal)}`,
  )
}
