import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createThrottle } from '../../src/features/throttle/index.ts'
import { migrations } from '../../src/features.ts'
import { openStorage } from '../../src/storage/index.ts'
import { FakeClock } from '../support/clock.ts'
import { heldMemory } from '../support/memory.ts'

const log = { info() {}, warn() {}, error() {} }

test('a flood of made-up names bans nobody, keeps nothing, and stays small', async (t) => {
  const clock = new FakeClock()
  const storage = await openStorage({ path: ':memory:', migrations, log })
  t.after(() => storage.close())
  const throttle = await createThrottle({
    redis: undefined,
    limits: [{ count: 20, period: 3_600_000 }],
    regulation: { modes: ['user'], max_retries: 3, find_time: 120_000, ban_time: 300_000 },
    storage,
    users: { costliest: () => undefined, onInvalidated() {} },
    passwords: { measure: async () => 1, span: () => 1 },
    clock,
    log,
  })
  t.after(() => throttle.close())
  const attempt = async (name: string, address: string, right: boolean) => {
    const guard = await throttle.attempt({ address, devices: [], reservations: undefined })
    const admitted = await guard.admit(name)
    await guard.settle(admitted && right)
    return admitted
  }
  const flood = async (count: number) => {
    // What is typed does not get here: of an unknown name the guard is told that it is nobody's.
    for (let i = 0; i < count; i++)
      await attempt('', `198.${i >> 16}.${(i >> 8) & 255}.${i & 255}`, false)
  }
  await flood(1000)
  const before = heldMemory()
  await flood(25_000)
  const grown = heldMemory() - before
  // Some 240 bytes for each address that failed within the hour; how many are kept is bounded (memory-counter.test.ts).
  assert.ok(grown < 10_000_000, String(grown))
  assert.deepEqual(await throttle.bans.list(), [])
  const kept = storage.sqlite.prepare('select count(*) as n from regulation_attempts').get()
  assert.equal(kept?.['n'], 0)
  assert.equal(await attempt('john', '203.0.113.1', true), true)
})
