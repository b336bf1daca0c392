import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import type { OnceStore } from '../../src/features/sessions/index.ts'
import { type EpochMs, systemClock } from '../../src/kernel/clock.ts'

/** What every store of things that are taken once must do. */
export function onceStoreConformance(
  name: string,
  open: (t: TestContext) => Promise<OnceStore>,
  /** Why it can't run here. */
  skip?: string,
): void {
  const now = systemClock.now()
  const after = (ms: number) => (now + ms) as EpochMs // a time of the tests
  const hex = (bytes: Uint8Array | undefined) => bytes && Buffer.from(bytes).toString('hex')
  const MINUTE = 60_000

  suite(`the ${name} store of what is taken once`, { skip: skip ?? false }, () => {
    test('gives back exactly what it was given, once', async (t) => {
      const store = await open(t)
      const bytes = Buffer.from(Array.from({ length: 256 }, (_, i) => i))
      await store.put('a', bytes, after(MINUTE), now)
      await store.put('b', Buffer.from('other'), after(MINUTE), now)
      assert.equal(hex(await store.take('a', now)), hex(bytes))
      assert.equal(await store.take('a', now), undefined)
      assert.equal(await store.take('never', now), undefined)
      assert.equal(hex(await store.take('b', now)), hex(Buffer.from('other')))
    })

    test('gives it to one of fifty who ask at once', async (t) => {
      const store = await open(t)
      await store.put('a', Buffer.from('once'), after(MINUTE), now)
      const taken = await Promise.all(Array.from({ length: 50 }, () => store.take('a', now)))
      assert.equal(taken.filter((one) => one !== undefined).length, 1)
    })

    test('gives nothing away that is past its time, and not because it was asked too late once', async (t) => {
      const store = await open(t)
      await store.put('a', Buffer.from('late'), after(MINUTE), now)
      assert.equal(await store.take('a', after(MINUTE)), undefined)
      assert.equal(await store.take('a', now), undefined, 'asking took it out')
      await store.put('b', Buffer.from('early'), after(MINUTE), now)
      assert.equal(hex(await store.take('b', after(MINUTE - 1))), hex(Buffer.from('early')))
    })
  })
}
