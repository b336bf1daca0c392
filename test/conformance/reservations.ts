import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import type { Reservations, ReservationTerms } from '../../src/features/throttle/reservation.ts'

export interface ReservationsCase {
  /** As many as there are nodes: they share what they keep. */
  readonly nodes: readonly Reservations[]
  /** Lets this much time go by, in milliseconds. */
  pass(ms: number): Promise<void>
}

/** Long enough for a slow machine: nothing here depends on when exactly a call comes. */
const TERMS: ReservationTerms = { count: 2, life: 60_000, spacing: 100_000 }
const HOME = '192.0.2.1'

/** What every place for reservations must do. */
export function reservationsConformance(
  name: string,
  open: (t: TestContext, terms: ReservationTerms) => Promise<ReservationsCase>,
): void {
  const openOne = async (t: TestContext, terms = TERMS) => {
    const { nodes, pass } = await open(t, terms)
    const [one, two = one] = nodes
    assert.ok(one !== undefined && two !== undefined)
    const reserve = async (held: readonly string[], wait: number, address = HOME) => {
      const made = await one.reserve(address, held, wait)
      assert.ok(made !== undefined)
      return made
    }
    return { one, two, pass, reserve }
  }

  suite(`reservations ${name}`, () => {
    test('one counts when it is due, at its address, once, on any node', async (t) => {
      const { one, two, pass, reserve } = await openOne(t)
      const { id, wait } = await reserve([], 2000)
      assert.match(id, /^[A-Za-z0-9_-]{22}$/)
      assert.ok(wait >= 2000 && wait <= 2001, String(wait))
      assert.equal(await two.isDue(HOME, [id]), false)
      assert.equal(await two.use(HOME, [id]), false)
      await pass(2050)
      assert.equal(await one.isDue(HOME, [id]), true)
      for (const [address, held] of [
        ['192.0.2.2', [id]],
        [HOME, []],
        [HOME, ['x'.repeat(22)]],
      ] as const) {
        assert.equal(await one.isDue(address, held), false)
        assert.equal(await one.use(address, held), false)
      }
      const uses = await Promise.all(
        Array.from({ length: 50 }, (_, i) => (i % 2 ? one : two).use(HOME, ['no', id])),
      )
      assert.equal(uses.filter((used) => used).length, 1)
      assert.equal(await one.isDue(HOME, [id]), false)
      assert.equal(await one.reserve(HOME, [id], 2000), undefined, 'it was its one attempt')
    })

    test('who holds one keeps it, whatever the wait has become, and is told the same moment', async (t) => {
      const { two, pass, reserve } = await openOne(t)
      const first = await reserve([], 3000)
      await pass(100)
      const again = await two.reserve(HOME, ['no', first.id], 500_000)
      assert.equal(again?.id, first.id)
      assert.ok(again.wait <= 2950, String(again.wait))
    })

    test('it is over when its time has passed', async (t) => {
      const { one, pass, reserve } = await openOne(t, { count: 2, life: 200, spacing: 5000 })
      const { id } = await reserve([], 1)
      await pass(400)
      assert.equal(await one.isDue(HOME, [id]), false)
      assert.equal(await one.use(HOME, [id]), false)
      assert.notEqual((await reserve([id], 1)).id, id)
    })

    test('they come in order, so many within the spacing, and only so many wait', async (t) => {
      const { one, reserve } = await openOne(t)
      const waits: number[] = []
      for (const wait of [50_000, 200, 100, 100]) waits.push((await reserve([], wait)).wait)
      const about = waits.map((wait) => Math.round(wait / 10_000))
      assert.deepEqual(about, [5, 5, 15, 15])
      assert.equal(await one.reserve(HOME, [], 1), undefined)
      assert.ok((await reserve([], 1, '192.0.2.2')).wait < 10_000, 'of another address')
    })
  })
}
