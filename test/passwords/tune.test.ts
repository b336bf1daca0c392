import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { type Argon2Cost, tune } from '../../src/features/passwords/index.ts'
import { FakeClock } from '../support/clock.ts'

const MIB = 1024

/** A machine on which a hash takes what `model` says, in milliseconds. */
async function on(
  model: (cost: Argon2Cost, count: number) => number,
  options: { target: number; maxMemory?: number; parallelism?: number },
) {
  const clock = new FakeClock()
  const costs: Argon2Cost[] = []
  const tuned = await tune({
    maxMemory: 1024 * MIB,
    parallelism: 4,
    ...options,
    clock,
    async hash(cost) {
      costs.push(cost)
      clock.advance(model(cost, costs.length))
    },
  })
  return { tuned, costs, spent: clock.monotonic() }
}
/** KiB that are filled in a millisecond. */
const linear =
  (rate: number) =>
  ({ memory, iterations }: Argon2Cost) =>
    (memory * iterations) / rate

test('what there is of time goes into memory first', async () => {
  const { tuned } = await on(linear(1000), { target: 500 })
  assert.deepEqual(tuned, { memory: 488 * MIB, iterations: 1, parallelism: 4, took: 499.712 })
})

test('once the memory is used up, it goes into passes', async () => {
  const { tuned } = await on(linear(1000), { target: 500, maxMemory: 64 * MIB })
  assert.equal(tuned.memory, 64 * MIB)
  assert.equal(tuned.iterations, 8)
})

test('a machine that is too slow gets the least that there is, and an end', async () => {
  const { tuned, costs } = await on(linear(1), { target: 100, parallelism: 1 })
  assert.deepEqual([tuned.memory, tuned.iterations], [MIB, 1])
  assert.ok(costs.length < 10)
})

test('every lane has its eight blocks, whatever the ceiling', async () => {
  const { tuned } = await on(linear(1), { target: 10, parallelism: 255, maxMemory: MIB })
  assert.equal(tuned.memory, 2 * MIB)
})

test('a first hash that takes long and single disturbances do not count', async () => {
  const model = (cost: Argon2Cost, count: number) =>
    linear(1000)(cost) * (count === 1 ? 50 : count % 3 === 0 ? 4 : 1)
  const { tuned } = await on(model, { target: 500 })
  assert.ok(tuned.memory > 400 * MIB && tuned.memory < 600 * MIB, String(tuned.memory))
})

test('a machine with a cache is measured where it matters', async () => {
  const model = (cost: Argon2Cost) => linear(cost.memory <= 16 * MIB ? 8000 : 1000)(cost)
  const { tuned } = await on(model, { target: 500 })
  assert.ok(tuned.took > 440 && tuned.took < 560, String(tuned.took))
})

test('on any machine the parameters are within their bounds, about right, and found in bounded time', async () => {
  const machine = fc.record({
    rate: fc.double({ min: 10, max: 100_000, noNaN: true }),
    overhead: fc.double({ min: 0, max: 2, noNaN: true }),
    target: fc.integer({ min: 10, max: 10_000 }),
    maxMemory: fc.integer({ min: 1, max: 4096 }).map((mib) => mib * MIB),
    parallelism: fc.integer({ min: 1, max: 255 }),
  })
  await fc.assert(
    fc.asyncProperty(machine, async ({ rate, overhead, target, maxMemory, parallelism }) => {
      const model = (cost: Argon2Cost) => overhead + linear(rate)(cost)
      const { tuned, costs, spent } = await on(model, { target, maxMemory, parallelism })
      const { memory, iterations, took } = tuned
      const least = Math.ceil((8 * parallelism) / MIB) * MIB
      assert.equal(memory % MIB, 0)
      assert.ok(memory >= least && memory <= Math.max(least, maxMemory))
      assert.ok(iterations >= 1 && iterations <= 1000)
      assert.ok(memory * iterations <= 16 * 1024 * MIB)
      assert.ok(costs.length <= 37)
      assert.ok(
        spent <=
          60 *
            Math.max(
              target,
              (8 * MIB) / rate + overhead,
              model({ memory: least, iterations: 1, parallelism }),
            ),
      )
      // Nothing else was possible, or it is about right: one pass or one MiB more or less is what there is.
      const floor = memory === least && iterations === 1
      const ceiling = (iterations + 1) * memory > 16 * 1024 * MIB || iterations === 1000
      const grain = Math.max(1 / iterations, MIB / memory)
      assert.ok(
        floor || ceiling || (took > target * (0.85 - grain) && took < target * (1.15 + grain)),
        `${JSON.stringify(tuned)} for ${target}`,
      )
    }),
  )
})
