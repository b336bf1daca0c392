import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMemoryCounter } from '../../src/features/throttle/counters/memory.ts'
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
