import assert from 'node:assert/strict'
import { Socket } from 'node:net'
import { suite, test } from 'node:test'
import { createCostliest } from '../../src/features/throttle/costliest.ts'
import { createDelay } from '../../src/features/throttle/delay.ts'
import { systemClock } from '../../src/kernel/clock.ts'
import { AppError } from '../../src/kernel/errors.ts'
import { FakeClock } from '../support/clock.ts'
import { settlesWithin } from '../support/pace.ts'

/** A delay without chance: its span is the base alone. */
const bare = (costliest = 0, random = () => 0) =>
  createDelay({ clock: new FakeClock(), costliest: () => costliest, random })

suite('the base of the delay', () => {
  test('is a second at first, and each success takes the place of a tenth of it', async () => {
    const delay = bare()
    assert.equal(await delay.span(), 1000)
    for (let i = 1; i <= 7; i++) {
      delay.succeeded(100)
      assert.equal(await delay.span(), 1000 - 90 * i)
    }
  })

  test('is the mean of the last ten successes', async () => {
    const delay = bare()
    for (let i = 0; i < 10; i++) delay.succeeded(400)
    assert.equal(await delay.span(), 400)
    for (let i = 1; i <= 10; i++) {
      delay.succeeded(1400)
      assert.equal(await delay.span(), 400 + 100 * i)
    }
    delay.succeeded(400)
    assert.equal(await delay.span(), 1300)
  })

  test('is never below 250 ms', async () => {
    const delay = bare(249)
    for (let i = 0; i < 10; i++) delay.succeeded(3)
    assert.equal(await delay.span(), 250)
  })

  test('is never below what the costliest digest of the users costs', async () => {
    const delay = bare(777)
    for (let i = 0; i < 10; i++) delay.succeeded(300)
    assert.equal(await delay.span(), 777)
  })
})

suite('the jitter', () => {
  test('is the random part of 85 ms', async () => {
    for (const part of [0, 0.25, 0.999])
      assert.equal(await bare(0, () => part).span(), 1000 + part * 85)
  })

  test('is spread evenly over 0 to 85 ms', async () => {
    const delay = createDelay({ clock: new FakeClock(), costliest: () => 0 })
    const count = 34_000
    const bins = new Array<number>(17).fill(0)
    for (let i = 0; i < count; i++) {
      const jitter = (await delay.span()) - 1000
      assert.ok(jitter >= 0 && jitter < 85)
      const bin = Math.floor(jitter / 5)
      bins[bin] = (bins[bin] ?? 0) + 1
    }
    const expected = count / bins.length
    const chiSquared = bins.reduce((sum, n) => sum + (n - expected) ** 2 / expected, 0)
    // 16 degrees of freedom: one honest run in a million is past this.
    assert.ok(chiSquared < 56.5, `${chiSquared} in ${bins.join(' ')}`)
  })
})

suite('an answer that is held', () => {
  test('leaves no sooner than its span after its arrival, whatever the work took', async () => {
    const delay = createDelay({ clock: systemClock, costliest: () => 0, random: () => 0 })
    for (let i = 0; i < 10; i++) delay.succeeded(1)
    for (const work of [0, 100, 240]) {
      const arrival = systemClock.monotonic() - work
      await delay.hold(arrival, new Socket())
      assert.ok(systemClock.monotonic() - arrival >= 250)
    }
    const late = systemClock.monotonic() - 251
    const again = () => delay.hold(late, new Socket())
    assert.equal(await settlesWithin(100, again), true, 'it is not held twice')
  })

  test('is let go when its client leaves, and leaves no listener behind', async () => {
    const delay = createDelay({ clock: systemClock, costliest: () => 0 })
    const socket = new Socket()
    const held = delay.hold(systemClock.monotonic() + 60_000, socket)
    await new Promise(setImmediate)
    socket.destroy()
    await held
    assert.equal(socket.listenerCount('close'), 0)
  })
})

suite('what the costliest digest costs', () => {
  const digest = (weight: number) => ({ scheme: 'argon2', variant: 'argon2id', weight }) as never

  test('is measured once, and again when another is costliest', async () => {
    let dearest = digest(10)
    const measured: unknown[] = []
    const cost = createCostliest({
      users: { costliest: () => dearest },
      passwords: {
        measure: async (one) => {
          measured.push(one)
          return measured.length * 100
        },
        span: () => 0,
      },
    })
    assert.deepEqual(await Promise.all([cost(), cost()]), [100, 100])
    dearest = digest(10)
    assert.equal(await cost(), 100, 'another digest of the same cost')
    dearest = digest(20)
    assert.equal(await cost(), 200)
    assert.equal(measured.length, 2)
  })

  test('stays what it was when there is no room to measure in, and is measured later', async () => {
    let busy = true
    const cost = createCostliest({
      users: { costliest: () => undefined },
      passwords: {
        measure: async () => {
          if (busy) throw new AppError('HASHING_BUSY')
          return 50
        },
        span: () => 0,
      },
    })
    assert.equal(await cost(), 0)
    busy = false
    assert.equal(await cost(), 50)
  })

  test('is no less than what checks occupy their places for at the moment', async () => {
    let span = 0
    const cost = createCostliest({
      users: { costliest: () => undefined },
      passwords: { measure: async () => 50, span: () => span },
    })
    assert.equal(await cost(), 50)
    span = 70
    assert.equal(await cost(), 70)
  })
})
