import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryCounter } from '../../src/features/throttle/counters/memory.ts'
import manifest from '../../src/features/throttle/manifest.ts'
import { failureCounterConformance } from '../conformance/failure-counter.ts'
import { FakeClock } from '../support/clock.ts'
import { heldMemory } from '../support/memory.ts'

failureCounterConformance('memory', async (_t, windows) => {
  const clock = new FakeClock()
  return {
    nodes: [createMemoryCounter({ windows, clock })],
    pass: async (ms) => clock.advance(ms),
  }
})

test('what is over is forgotten, also of keys that never come again', async () => {
  const clock = new FakeClock()
  const counter = createMemoryCounter({ windows: [{ count: 5, period: 1000 }], clock })
  const before = heldMemory()
  for (let i = 0; i < 100_000; i++) {
    await counter.take(`198.51.${i >> 8}.${i & 255}`)
    if (i % 1000 === 0) clock.advance(1001)
  }
  assert.ok(heldMemory() - before < 2_000_000)
})

test('a flood of keys takes no more than its bound, and the newest are kept', async () => {
  const clock = new FakeClock()
  const windows = [{ count: 1, period: 3_600_000 }]
  const counter = createMemoryCounter({ windows, clock, maxStamps: 1000 })
  for (let i = 0; i < 20_000; i++) await counter.take(String(i))
  let kept = 0
  for (let i = 0; i < 20_000; i++) if ((await counter.wait(String(i))) > 0) kept++
  assert.equal(kept, 1000)
  assert.ok((await counter.wait('19999')) > 0)
})

test('with the defaults an address has twenty failures in any hour, however many guesses come at once', async () => {
  const clock = new FakeClock()
  const windows = manifest.config.failed_login_rate_limit.parse(undefined)
  const counter = createMemoryCounter({ windows, clock })
  const admitted: number[] = []
  for (let ms = 0; ms < 3 * 3_600_000; ms += 500) {
    const guesses = await Promise.all(Array.from({ length: 10 }, () => counter.take('192.0.2.1')))
    for (const { ok } of guesses) if (ok) admitted.push(ms)
    clock.advance(500)
  }
  const most = (span: number) =>
    Math.max(
      ...admitted.map((from) => admitted.filter((at) => at >= from && at < from + span).length),
    )
  assert.deepEqual([most(1000), most(60_000), most(3_600_000)], [1, 5, 20])
  assert.equal(admitted.length, 60)
})
