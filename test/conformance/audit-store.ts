/** What the audit trail may count on, whichever database keeps it. */
import assert from 'node:assert/strict'
import { suite, type TestContext, test } from 'node:test'
import { type AuditEvent, createEvent } from '../../src/features/audit/event.ts'
import type { EventName, Happening } from '../../src/features/audit/index.ts'
import type { AuditStore } from '../../src/features/audit/store.ts'
import type { EpochMs } from '../../src/kernel/clock.ts'

const NOON = Date.UTC(2026, 0, 15, 12)

/** @param minutes after noon */
export const event = (
  minutes: number,
  name: EventName = 'login.failed',
  more: Partial<Happening> = {},
): AuditEvent =>
  createEvent(
    name,
    { user: 'john', actor: 'unknown', address: '192.0.2.1', userAgent: 'Firefox/140.0', ...more },
    // A number of milliseconds; the brand exists in types only.
    (NOON + minutes * 60_000) as EpochMs,
  )

const at = (minutes: number): EpochMs => (NOON + minutes * 60_000) as EpochMs // as above

/** @param open a store that is new and empty */
export function auditStoreConformance(
  name: string,
  open: (t: TestContext) => Promise<AuditStore>,
): void {
  suite(`events in ${name}`, () => {
    test('come back as they were, newest first', async (t) => {
      const store = await open(t)
      const events = [
        event(0, 'login.succeeded', { details: { method: 'password', remembered: true } }),
        event(1, 'session.ended', { user: 'Jürgen 𝒳 "quoted"\u0000', actor: 'user:Jürgen' }),
        event(2, 'config.reloaded', { user: '', actor: 'operator', details: { changed: "a'b" } }),
      ]
      await store.add(events.slice(0, 2))
      await store.add(events.slice(2))
      assert.deepEqual(await store.list({ limit: 10 }), events.toReversed())
    })

    test('that are there already are left alone', async (t) => {
      const store = await open(t)
      const [first, second] = [event(0), event(1)]
      await store.add([first])
      await store.add([{ ...first, user: 'mary' }, second])
      assert.deepEqual(await store.list({ limit: 10 }), [second, first])
    })

    test('are chosen by user, by name, by time, and page by page', async (t) => {
      const store = await open(t)
      const all = [
        event(0),
        event(1, 'login.succeeded'),
        event(2, 'login.failed', { user: 'mary' }),
        event(3, 'login.failed', { user: '' }),
        event(4, 'session.ended'),
      ]
      await store.add(all)
      const [a, b, c, d, e] = all
      const list = async (selection: Partial<Parameters<AuditStore['list']>[0]>) =>
        await store.list({ limit: 10, ...selection })
      assert.deepEqual(await list({ user: 'john' }), [e, b, a])
      assert.deepEqual(await list({ user: '' }), [d])
      assert.deepEqual(await list({ user: 'john', names: ['login.failed'] }), [a])
      assert.deepEqual(await list({ since: at(2) }), [e, d, c])
      assert.deepEqual(await list({ limit: 2 }), [e, d])
      assert.deepEqual(await list({ limit: 2, before: d?.id }), [c, b])
      assert.deepEqual(await list({ user: "john' or '1'='1" }), [])
    })

    test('are swept when they are too old, at most so many at once', async (t) => {
      const store = await open(t)
      await store.add([0, 1, 2, 3, 4].map((minute) => event(minute)))
      assert.equal(await store.sweep(at(3), 2), 2)
      assert.equal(await store.sweep(at(3), 2), 1)
      assert.equal(await store.sweep(at(3), 2), 0)
      assert.equal(await store.count(), 2)
    })

    test('that are too many go: those about nobody first, then the oldest', async (t) => {
      const store = await open(t)
      const nobody = { user: '' }
      await store.add([event(0), event(1), event(2, 'login.failed', nobody), event(3)])
      assert.equal(await store.shed(1), 1)
      assert.deepEqual(
        (await store.list({ limit: 9 })).map(({ user }) => user),
        ['john', 'john', 'john'],
      )
      assert.equal(await store.shed(2), 2)
      assert.deepEqual(
        (await store.list({ limit: 9 })).map(({ time }) => time),
        [at(3)],
      )
    })

    test('may be many in one go', async (t) => {
      const store = await open(t)
      await store.add(Array.from({ length: 200 }, (_, i) => event(i)))
      assert.equal(await store.count(), 200)
    })
  })
}
