import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import type { FailureCounter } from '../../src/features/throttle/failure-counter.ts'
import type { Windows } from '../../src/features/throttle/limits.ts'

export interface FailureCounterCase {
  /** As many as there are nodes: they share what they count. */
  readonly nodes: readonly FailureCounter[]
  /** Lets this much time go by, in milliseconds. */
  pass(ms: number): Promise<void>
}

/**
 * What every place for counted failures must do. Spans are short enough for a clock that runs.
 * @param scale what every span is multiplied by: more where time goes by by itself, so that a busy machine is in time
 */
export function failureCounterConformance(
  name: string,
  open: (t: TestContext, windows: Windows) => Promise<FailureCounterCase>,
  { scale = 1 }: { readonly scale?: number } = {},
): void {
  const first = ({ nodes }: FailureCounterCase): FailureCounter => {
    const [node] = nodes
    assert.ok(node !== undefined)
    return node
  }

  suite(`failure counter ${name}`, () => {
    test('takes as many as fit, says how long to wait for the next, and then has room again', async (t) => {
      const one = await open(t, [{ count: 2, period: 600 * scale }])
      const counter = first(one)
      assert.equal(await counter.wait('a'), 0)
      assert.equal((await counter.take('a')).ok, true)
      await one.pass(200 * scale)
      assert.equal((await counter.take('a')).ok, true)
      const refused = await counter.take('a')
      assert.ok(!refused.ok)
      assert.ok(refused.wait > 100 * scale && refused.wait <= 400 * scale, String(refused.wait))
      assert.ok((await counter.wait('a')) > 0)
      assert.equal((await counter.take('b')).ok, true, 'keys are counted apart')
      await one.pass(refused.wait + 1)
      assert.equal(await counter.wait('a'), 0)
      assert.equal((await counter.take('a')).ok, true)
      // A window is any span of its length, not one after another: the second one still counts.
      assert.equal((await counter.take('a')).ok, false)
    })

    test('all windows hold at once, and what one refuses counts in none', async (t) => {
      const one = await open(t, [
        { count: 1, period: 150 * scale },
        { count: 3, period: 60_000 },
      ])
      const counter = first(one)
      assert.equal((await counter.take('a')).ok, true)
      for (let i = 0; i < 5; i++) assert.equal((await counter.take('a')).ok, false)
      for (let i = 0; i < 2; i++) {
        await one.pass(150 * scale + 1)
        assert.equal((await counter.take('a')).ok, true)
      }
      await one.pass(150 * scale + 1)
      const refused = await counter.take('a')
      assert.ok(!refused.ok && refused.wait > 50_000)
    })

    test('what is given back is as if it had never been', async (t) => {
      const one = await open(t, [{ count: 1, period: 60_000 }])
      const counter = first(one)
      for (let i = 0; i < 3; i++) {
        const taken = await counter.take('a')
        assert.ok(taken.ok)
        assert.equal((await counter.take('a')).ok, false)
        await counter.giveBack('a', taken.receipt)
        assert.equal(await counter.wait('a'), 0)
      }
      const kept = await counter.take('a')
      assert.ok(kept.ok)
      await counter.giveBack('a', 'none')
      assert.equal((await counter.take('a')).ok, false, 'a receipt of something else')
    })

    test('a thousand at once get no more than a thousand in a row', async (t) => {
      const one = await open(t, [{ count: 20, period: 60_000 }])
      const taken = await Promise.all(
        Array.from({ length: 1000 }, (_, i) =>
          (one.nodes[i % one.nodes.length] ?? first(one)).take('a'),
        ),
      )
      assert.equal(taken.filter(({ ok }) => ok).length, 20)
      for (const node of one.nodes) assert.ok((await node.wait('a')) > 0)
    })

    test('keys may hold any text', async (t) => {
      const one = await open(t, [{ count: 1, period: 60_000 }])
      const counter = first(one)
      for (const key of ['', '2001:db8:0:1::/64', 'device é\n{x}', '__proto__'])
        assert.equal((await counter.take(key)).ok, true, key)
    })
  })
}
